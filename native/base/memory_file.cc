/* Files in memory; see memory_file.h. */
#include "native/base/memory_file.h"

#include <cerrno>

#include <sys/mman.h>

namespace mapscope {

namespace {

/* Linux 6.3 and newer want to be told (include/uapi/linux/memfd.h), and log it when they are not. */
constexpr unsigned int kNotExecutable = 0x8;
constexpr unsigned int kExecutable = 0x10;

UniqueFd Create(const std::string &name, Executable executable) {
    const unsigned int kind = executable == Executable::kYes ? kExecutable : kNotExecutable;
    UniqueFd fd(memfd_create(name.c_str(), MFD_CLOEXEC | kind));
    if (!fd && errno == EINVAL) /* an older kernel */
        return UniqueFd(memfd_create(name.c_str(), MFD_CLOEXEC));
    return fd;
}

} // namespace

Result<UniqueFd> MakeMemoryFile(const std::string &name, std::span<const uint8_t> content,
                                Executable executable) {
    const std::string attempted = "cannot make the file " + name + " in memory";
    UniqueFd fd = Create(name, executable);
    if (!fd)
        return SystemFailure(attempted, errno);
    while (!content.empty()) {
        const ssize_t written = write(fd.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return SystemFailure(attempted, errno);
        content = content.subspan(static_cast<size_t>(written));
    }
    return fd;
}

std::string PathOfDescriptor(const UniqueFd &fd) { return "/proc/self/fd/" + std::to_string(fd.get()); }

} // namespace mapscope
