/* CPU time of another process, finer than the hundredths of a second of /proc. */
#ifndef MAPSCOPE_NATIVE_PROCESS_CPU_TIME_H
#define MAPSCOPE_NATIVE_PROCESS_CPU_TIME_H

#include <sys/types.h>

#include "native/base/failure.h"

namespace mapscope {

/** CPU time that a process has used, all its threads, those that have ended included. */
Result<double> CpuSeconds(pid_t pid);

} // namespace mapscope

#endif
