/* The loop that is probed to learn what a hit costs; see calibration.h. */
#include "native/probes/calibration.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "native/base/clock.h"

/* A jump to the next instruction: emulated like the branches that carry the probes of a target. */
asm(".text\n"
    ".type mapscope_calibration_loop, @function\n"
    "mapscope_calibration_loop:\n"
    "mapscope_calibration_site:\n"
    "    jmp 1f\n"
    "1:  dec %rdi\n"
    "    jnz mapscope_calibration_site\n"
    "    ret\n"
    ".size mapscope_calibration_loop, . - mapscope_calibration_loop\n");

extern "C" __attribute__((visibility("hidden"))) void mapscope_calibration_loop(uint64_t passes);

namespace mapscope {

namespace {

double SecondsPerPass(uint32_t passes) {
    const double start = ThreadCpuSeconds();
    mapscope_calibration_loop(passes);
    return (ThreadCpuSeconds() - start) / passes;
}

} // namespace

Result<CalibrationSite> FindCalibrationSite() {
    const auto address = reinterpret_cast<uintptr_t>(&mapscope_calibration_loop);
    const std::unique_ptr<FILE, int (*)(FILE *)> maps(fopen("/proc/self/maps", "re"), fclose);
    char line[4200];
    while (maps && fgets(line, sizeof(line), maps.get())) {
        unsigned long start, end, offset;
        int path = 0;
        if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %n", &start, &end, &offset, &path) != 3 || path == 0)
            continue;
        if (address < start || address >= end)
            continue;
        std::string name = line + path;
        while (!name.empty() && name.back() == '\n')
            name.pop_back();
        return CalibrationSite{name, address - start + offset};
    }
    return Failure{"cannot find this addon's code in /proc/self/maps", "ENOENT"};
}

double MedianSecondsPerPass(uint32_t passes, uint32_t rounds) {
    std::vector<double> seconds;
    for (uint32_t round = 0; round < rounds; round++)
        seconds.push_back(SecondsPerPass(passes));
    std::sort(seconds.begin(), seconds.end());
    return seconds.empty() ? 0 : seconds[seconds.size() / 2];
}

} // namespace mapscope
