/* What the addon does to the target itself: starts it, lets it go, reads its memory, waits for its end. */
#ifndef MAPSCOPE_NATIVE_PROCESS_H
#define MAPSCOPE_NATIVE_PROCESS_H

#include <cstdint>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "failure.h"
#include "unique_fd.h"

namespace mapscope {

struct Program {
    std::string file; /* a path: PATH is not searched */
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
};

/** Starts a program and leaves it stopped before its first instruction. */
Result<pid_t> SpawnStopped(const Program &program);

Status Resume(pid_t pid);

/** A descriptor that is readable as soon as the process has ended; none, and errno, when it cannot be had. */
inline UniqueFd OpenProcess(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

/** Reads all of `length` bytes or fails. */
Status ReadMemory(pid_t pid, uint64_t address, uint8_t *bytes, size_t length);

/** CPU time that a process has used, all its threads, those that have ended included. */
Result<double> CpuSeconds(pid_t pid);

} // namespace mapscope

#endif
