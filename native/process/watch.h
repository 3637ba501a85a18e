/* Stops a traced thread at an instruction. */
#ifndef MAPSCOPE_NATIVE_PROCESS_WATCH_H
#define MAPSCOPE_NATIVE_PROCESS_WATCH_H

#include <cstdint>

#include <sys/types.h>

namespace mapscope {

/**
 * Has a traced thread, which stands now, stop each time before it executes the instruction at an address; 0:
 * no longer. A register of the processor does it, so that nothing is changed in the thread's memory. Threads
 * and processes that it starts do not have that, and it ends with an execve().
 *
 * @return false when there is no such register
 */
bool WatchInstruction(pid_t thread, uintptr_t address);

/** Whether a traced thread that has stopped with SIGTRAP stands at such an instruction. */
bool IsAtWatchedInstruction(pid_t thread);

} // namespace mapscope

#endif
