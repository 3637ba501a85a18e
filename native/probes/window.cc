/* Runs one window; see window.h. */
#include "native/probes/window.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

#include <poll.h>

#include <bpf/bpf.h>

#include "bpf/shared/window.h"
#include "native/base/clock.h"
#include "native/bpf/libbpf_log.h"
#include "native/probes/thread_priority.h"
#include "native/process/cpu_time.h"

namespace mapscope {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

/* The records of a window are the only ones that the addon itself writes and reads. */
#define NATIVE_FIELD(record, field) Field{#field, offsetof(record, field), sizeof(record::field), 1}
const std::map<std::string, Record> kNativeRecords = {
    {"window_gate",
     {sizeof(window_gate),
      {NATIVE_FIELD(window_gate, window), NATIVE_FIELD(window_gate, hit_limit),
       NATIVE_FIELD(window_gate, open), NATIVE_FIELD(window_gate, pad)}}},
    {"window_end", {sizeof(window_end), {NATIVE_FIELD(window_end, window), NATIVE_FIELD(window_end, time)}}},
};

} // namespace

Status CheckWindowRecords(const Records &records, const std::string &path) {
    for (const auto &[name, record] : kNativeRecords) {
        const auto found = records.structs.find(name);
        if (found == records.structs.end() || found->second != record)
            return Failure{"the BPF object " + path + " lays out struct " + name +
                               " in another way than the native addon: they were not built together",
                           "ENOEXEC"};
    }
    return {};
}

Result<std::unique_ptr<WindowGate>> WindowGate::Find(const BpfObject &object) {
    const std::string attempted = "cannot open a window";
    auto gates = object.FindMap("window_gates", attempted);
    auto cpu_states = object.FindMap("cpu_states", attempted);
    auto ends = object.FindMap("window_ends", attempted);
    for (const auto *map : {&gates, &cpu_states, &ends})
        if (!*map)
            return map->failure();
    std::unique_ptr<WindowGate> gate(new WindowGate());
    gate->gates_ = *gates;
    gate->cpu_states_ = *cpu_states;
    LibbpfLog log;
    gate->ends_.reset(ring_buffer__new(ends->fd, TakeEnd, gate.get(), nullptr));
    if (!gate->ends_)
        return SystemFailure(attempted + ": its ring buffer cannot be mapped", errno);
    return gate;
}

int WindowGate::TakeEnd(void *context, void *data, size_t size) {
    auto *gate = static_cast<WindowGate *>(context);
    struct window_end end;
    if (size < sizeof(end))
        return 0;
    memcpy(&end, data, sizeof(end));
    if (end.window == gate->window_)
        gate->ended_at_ = end.time;
    return 0;
}

Status WindowGate::Set(bool open, const WindowLimits &limits) const {
    const uint32_t zero = 0;
    const struct window_gate gate = {
        .window = window_, .hit_limit = limits.hit_limit, .open = open, .pad = 0};
    if (const int result = bpf_map_update_elem(gates_.fd, &zero, &gate, BPF_ANY))
        return SystemFailure("cannot update the BPF map '" + gates_.name + "'", -result);
    return {};
}

/* Returns when a CPU has closed the gate, or at the time given. */
void WindowGate::WaitUntil(uint64_t time) {
    struct pollfd ready = {ring_buffer__epoll_fd(ends_.get()), POLLIN, 0};
    for (uint64_t now = MonotonicNow(); now < time && ended_at_ == 0; now = MonotonicNow()) {
        const struct timespec left = {static_cast<time_t>((time - now) / kSecond),
                                      static_cast<long>((time - now) % kSecond)};
        if (ppoll(&ready, 1, &left, nullptr) > 0)
            ring_buffer__consume(ends_.get());
    }
}

Status WindowGate::Run(UprobeLinks &links, const BpfObject &object, AttachMethod method,
                       const ProbeSites &sites, const WindowLimits &limits, WindowResult &result) {
    window_++;
    ended_at_ = 0;
    const ThreadPriority before_others;
    if (Status failure = Set(false, limits))
        return failure;
    if (Status failure = links.AttachBriefly(object, method, sites))
        return failure;
    result.locked_seconds = links.locked_seconds();
    Result<double> cpu_before = CpuSeconds(sites.pid);
    result.opened = MonotonicNow();
    Status failure = Set(true, limits);
    if (!failure) {
        WaitUntil(result.opened + uint64_t{limits.open_micros} * 1000);
        failure = Set(false, limits);
        result.closed = MonotonicNow();
    }
    const uint64_t cpu_at = MonotonicNow();
    Result<double> cpu_after = CpuSeconds(sites.pid);
    links.Close();
    if (failure)
        return failure;
    ring_buffer__consume(ends_.get()); /* a CPU may have closed it at the last moment */
    result.full = ended_at_ != 0;
    if (result.full)
        result.closed = ended_at_;
    /* A CPU that closed it did so a moment before this thread could look. */
    if (cpu_before && cpu_after && cpu_at > result.opened)
        result.cpu_seconds = (*cpu_after - *cpu_before) * static_cast<double>(result.closed - result.opened) /
                             static_cast<double>(cpu_at - result.opened);
    return ReadPerCpuMap(cpu_states_, kAllElements, result.cpu_states);
}

} // namespace mapscope
