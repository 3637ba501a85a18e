/* What this very process may take before the kernel ends it. */
#ifndef MAPSCOPE_NATIVE_SELF_LIMITS_H
#define MAPSCOPE_NATIVE_SELF_LIMITS_H

#include <cstdint>

#include "native/base/failure.h"

namespace mapscope {

/**
 * The kernel kills this process when it has used so many seconds of CPU time from its start on, or when the
 * thread that started it has ended: also in the middle of a loop, where no handler of its own would run.
 */
Status LimitThisProcess(uint32_t cpu_seconds);

/**
 * From now on this process ends with the given status when the time is over, whatever its threads wait for.
 * Only the first call counts.
 */
Status EndWithin(uint32_t millis, int status);

} // namespace mapscope

#endif
