/* Loads and reads the program that tells of each execve(); see exec_events.h. */
#include "native/bpf/exec_events.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/sysmacros.h>

#include "native/bpf/libbpf_log.h"
#include "native/bpf/read_only_data.h"
#include "native/bpf/refusal.h"

namespace mapscope {

namespace {

/* What a `const volatile` variable of that type holds. */
template <typename T>
std::vector<uint8_t> BytesOf(T value) {
    std::vector<uint8_t> bytes(sizeof(value));
    memcpy(bytes.data(), &value, sizeof(value));
    return bytes;
}

/* A device number as the kernel has it within (include/linux/kdev_t.h), which is not how stat() says it. */
uint64_t KernelDevice(uint64_t device) {
    constexpr int kMinorBits = 20;
    return uint64_t{major(device)} << kMinorBits | minor(device);
}

} // namespace

Result<std::unique_ptr<ExecEvents>> ExecEvents::Begin(const std::string &path, const PidNamespace &own) {
    std::unique_ptr<ExecEvents> events(new ExecEvents());
    if (Status failure = events->Configure(path, own))
        return *failure;
    if (Status failure = events->Attach(path))
        return *failure;
    return events;
}

Status ExecEvents::Configure(const std::string &path, const PidNamespace &own) {
    LibbpfLog log;
    object_.reset(bpf_object__open_file(path.c_str(), nullptr));
    if (!object_)
        return SystemFailure("cannot open the BPF object " + path, errno);
    const std::pair<const char *, std::vector<uint8_t>> variables[] = {
        {"namespace_device", BytesOf<uint64_t>(KernelDevice(own.device))},
        {"namespace_inode", BytesOf<uint64_t>(own.inode)},
        {"is_initial", BytesOf<uint32_t>(own.is_initial)},
    };
    for (const auto &[name, bytes] : variables)
        if (Status failure = SetReadOnlyData(object_.get(), path, name, bytes))
            return failure;
    return {};
}

Status ExecEvents::Attach(const std::string &path) {
    LibbpfLog log;
    if (const int result = bpf_object__load(object_.get()))
        return ExplainLoadRefusal(path, "tell_exec", -result, "", log.FirstWarning());
    struct bpf_program *program = bpf_object__next_program(object_.get(), nullptr);
    link_.reset(bpf_program__attach(program));
    if (!link_)
        return SystemFailure("cannot attach the BPF program of " + path, errno);
    const int map = bpf_object__find_map_fd_by_name(object_.get(), "executed");
    buffer_.reset(ring_buffer__new(map, TakeOne, this, nullptr));
    if (!buffer_)
        return SystemFailure("cannot map the ring buffer of " + path, errno);
    return {};
}

std::vector<uint32_t> ExecEvents::Take() {
    taken_.clear();
    ring_buffer__consume(buffer_.get());
    return std::move(taken_);
}

int ExecEvents::TakeOne(void *context, void *data, size_t size) {
    uint32_t process = 0;
    if (size >= sizeof(process)) {
        memcpy(&process, data, sizeof(process));
        static_cast<ExecEvents *>(context)->taken_.push_back(process);
    }
    return 0;
}

} // namespace mapscope
