/* A process by descriptor: unlike its id, that never comes to mean another process. */
#ifndef MAPSCOPE_NATIVE_PROCESS_PIDFD_H
#define MAPSCOPE_NATIVE_PROCESS_PIDFD_H

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "native/base/unique_fd.h"

namespace mapscope {

/**
 * A descriptor (close-on-exec) that is readable as soon as the process has ended; none, and errno, when it
 * cannot be had. Not the C library's pidfd_open(), which glibc has from 2.36 on only.
 */
inline UniqueFd OpenPidfd(pid_t pid) { return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

} // namespace mapscope

#endif
