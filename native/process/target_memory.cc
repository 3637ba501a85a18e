/* Two ways to another process's memory; see target_memory.h. */
#include "native/process/target_memory.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/uio.h>

#include "native/base/unique_fd.h"

namespace mapscope {

namespace {

/* Both readers return the bytes read, or -1 and errno. */
ssize_t ReadWithSystemCall(pid_t pid, uint64_t address, uint8_t *bytes, size_t length) {
    const struct iovec local = {bytes, length};
    const struct iovec remote = {reinterpret_cast<void *>(address), length};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

ssize_t ReadThroughProc(pid_t pid, uint64_t address, uint8_t *bytes, size_t length) {
    const UniqueFd memory(open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    return memory ? pread(memory.get(), bytes, length, static_cast<off_t>(address)) : -1;
}

/*
 * A seccomp filter or a kernel without the system call; a process that may not be read fails in /proc as
 * well.
 *
 * Not for other errors: /proc/PID/mem reads through page protections, so that memory which Go has reserved
 * but not mapped would be zeros there instead of the error it is.
 */
bool IsSystemCallRefused(int error) { return error == ENOSYS || error == EPERM; }

} // namespace

Status ReadMemory(pid_t pid, uint64_t address, uint8_t *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t result = ReadWithSystemCall(pid, address + done, bytes + done, length - done);
        int error = errno;
        if (result < 0 && IsSystemCallRefused(error)) {
            result = ReadThroughProc(pid, address + done, bytes + done, length - done);
            /* Of a process that may not be read, the system call's "not permitted" is the truer word. */
            if (result < 0 && errno != EACCES)
                error = errno;
        }
        /* A short count is not the end: it stops where a page cannot be read, and the next call says why. */
        if (result <= 0) {
            const std::string attempted = "cannot read " + std::to_string(length) + " bytes at " +
                                          Hex(address) + " of process " + std::to_string(pid);
            return SystemFailure(done ? attempted + ", only " + std::to_string(done) : attempted,
                                 result < 0 ? error : EFAULT);
        }
        done += result;
    }
    return {};
}

} // namespace mapscope
