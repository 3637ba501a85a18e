/*
 * A loop to probe in this very process: what the kernel takes for one hit of a breakpoint on this machine is
 * measured, not assumed.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_CALIBRATION_H
#define MAPSCOPE_NATIVE_PROBES_CALIBRATION_H

#include <cstdint>
#include <string>

#include "native/base/failure.h"

namespace mapscope {

struct CalibrationSite {
    std::string path; /* of the file that holds the instruction */
    uint64_t offset;  /* into it */
};

/** The instruction that each pass of the loop executes once: a jump, which the kernel emulates. */
Result<CalibrationSite> FindCalibrationSite();

/** Goes through the loop. CPU seconds per pass: the median of the rounds. */
double MedianSecondsPerPass(uint32_t passes, uint32_t rounds);

} // namespace mapscope

#endif
