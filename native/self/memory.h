/* Memory of this very process that it does not need now. */
#ifndef MAPSCOPE_NATIVE_SELF_MEMORY_H
#define MAPSCOPE_NATIVE_SELF_MEMORY_H

namespace mapscope {

/**
 * Gives back what is free, and has the allocator keep less from now on. glibc keeps what is freed, in an
 * arena per thread, and takes ever larger blocks from there: a process remains as large as it once was.
 */
void GiveBackFreeMemory();

/**
 * Takes the pages of the program file off this process, where it has not written to them. They stay in the
 * page cache, and those that it goes on using come back from there. A start uses most of Node's 100 MB, an
 * observation a third.
 */
void GiveBackProgramText();

} // namespace mapscope

#endif
