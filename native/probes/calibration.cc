/* The loop that is probed to learn what a hit costs; see calibration.h. */
#include "native/probes/calibration.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <sys/mman.h>

#include "native/base/clock.h"
#include "native/base/memory_file.h"

/* A jump to the next instruction: emulated like the branches that carry the probes of a target. */
asm(".text\n"
    ".type mapscope_calibration_loop, @function\n"
    "mapscope_calibration_loop:\n"
    "mapscope_calibration_site:\n"
    "    jmp 1f\n"
    "1:  dec %rdi\n"
    "    jnz mapscope_calibration_site\n"
    "    ret\n"
    "mapscope_calibration_end:\n"
    ".size mapscope_calibration_loop, . - mapscope_calibration_loop\n");

extern "C" __attribute__((visibility("hidden"))) void mapscope_calibration_loop(uint64_t passes);
extern "C" __attribute__((visibility("hidden"))) const uint8_t mapscope_calibration_end[];

namespace mapscope {

namespace {

using Loop = void (*)(uint64_t passes);

std::span<const uint8_t> CodeOfLoop() {
    const auto *start = reinterpret_cast<const uint8_t *>(&mapscope_calibration_loop);
    return {start, mapscope_calibration_end};
}

/* The file that the loop's code is mapped from, as the kernel calls it. */
Result<CalibrationSite> SiteInAddon() {
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

/*
 * The loop in a file of its own, in memory. The addon's own file has no path when it is in memory itself, as
 * in an executable that carries everything; the code is the same wherever it lies, having relative jumps
 * only.
 */
struct Copy {
    UniqueFd file;
    Loop loop = nullptr;
};

Result<Copy> CopyLoop() {
    const std::span<const uint8_t> code = CodeOfLoop();
    auto file = MakeMemoryFile("calibration", code, Executable::kYes);
    if (!file)
        return file.failure();
    void *mapped = mmap(nullptr, code.size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, file->get(), 0);
    if (mapped == MAP_FAILED)
        return SystemFailure("cannot map code from a file in memory", errno);
    return Copy{std::move(*file), reinterpret_cast<Loop>(mapped)};
}

std::mutex mutex;
Copy copy; /* under the mutex, made at most once: environments share the process */

Loop LoopToRun() {
    const std::lock_guard lock(mutex);
    return copy.loop != nullptr ? copy.loop : &mapscope_calibration_loop;
}

double SecondsPerPass(Loop loop, uint32_t passes) {
    const double start = ThreadCpuSeconds();
    loop(passes);
    return (ThreadCpuSeconds() - start) / passes;
}

} // namespace

Result<CalibrationSite> FindCalibrationSite() {
    auto site = SiteInAddon();
    if (!site || access(site->path.c_str(), R_OK) == 0)
        return site;
    const std::lock_guard lock(mutex);
    if (copy.loop == nullptr) {
        auto made = CopyLoop();
        if (!made)
            return made.failure();
        copy = std::move(*made);
    }
    return CalibrationSite{PathOfDescriptor(copy.file), 0};
}

double MedianSecondsPerPass(uint32_t passes, uint32_t rounds) {
    const Loop loop = LoopToRun();
    std::vector<double> seconds;
    for (uint32_t round = 0; round < rounds; round++)
        seconds.push_back(SecondsPerPass(loop, passes));
    std::sort(seconds.begin(), seconds.end());
    return seconds.empty() ? 0 : seconds[seconds.size() / 2];
}

} // namespace mapscope
