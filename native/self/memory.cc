/* Memory of this very process that it does not need now; see memory.h. */
#include "native/self/memory.h"

#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mapscope {

namespace {

/* A mapping, as the first of its lines in smaps says. */
struct Mapping {
    uintptr_t start = 0;
    uintptr_t end = 0;
    bool is_of_program = false;
};

/* @returns false when the line is not the first one of a mapping */
bool ParseMapping(const std::string &line, const std::string &program, Mapping *mapping) {
    char permissions[5];
    int name = 0;
    uintptr_t start, end;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &start, &end, permissions,
                    &name) != 3)
        return false;
    /* Only what cannot be written: the heap's pages would be lost. */
    *mapping = {start, end, permissions[1] == '-' && name > 0 && line.substr(name) == program};
    return true;
}

std::string PathOfProgram() {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
    return length > 0 ? std::string(path, length) : std::string();
}

} // namespace

void GiveBackFreeMemory() {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* the default, but it no longer adapts */
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    malloc_trim(0);
#endif
}

void GiveBackProgramText() {
    const std::string program = PathOfProgram();
    std::ifstream smaps("/proc/self/smaps");
    Mapping mapping;
    for (std::string line; !program.empty() && std::getline(smaps, line);) {
        if (ParseMapping(line, program, &mapping) || !mapping.is_of_program)
            continue;
        /*
         * A page that was written before it became read-only (RELRO), or that holds somebody's breakpoint, is
         * anonymous: it would come back without what was written. Such mappings are left alone as a whole.
         */
        unsigned long anonymous;
        if (std::sscanf(line.c_str(), "Anonymous: %lu kB", &anonymous) == 1 && anonymous == 0)
            madvise(reinterpret_cast<void *>(mapping.start), mapping.end - mapping.start, MADV_DONTNEED);
    }
}

} // namespace mapscope
