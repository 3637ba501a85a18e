/* Runs one window; see window.h. */
#include "window.h"

#include <cerrno>
#include <cstring>
#include <ctime>

#include <poll.h>

#include <bpf/bpf.h>

#include "../bpf/records.h"
#include "libbpf_log.h"
#include "thread_priority.h"

namespace mapscope {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

uint64_t Now() {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time); /* the clock of bpf_ktime_get_ns() */
    return time.tv_sec * kSecond + time.tv_nsec;
}

} // namespace

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

Status WindowGate::Set(uint64_t open, uint64_t hit_limit) const {
    const uint32_t zero = 0;
    const struct window_gate gate = {open, hit_limit};
    if (const int result = bpf_map_update_elem(gates_.fd, &zero, &gate, BPF_ANY))
        return SystemFailure("cannot update the BPF map '" + gates_.name + "'", -result);
    return {};
}

/* Returns when a CPU has closed the gate, or at the time given. */
void WindowGate::WaitUntil(uint64_t time) {
    struct pollfd ready = {ring_buffer__epoll_fd(ends_.get()), POLLIN, 0};
    for (uint64_t now = Now(); now < time && ended_at_ == 0; now = Now()) {
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
    if (Status failure = links.Attach(object, method, sites))
        return failure;
    result.opened = Now();
    Status failure = Set(window_, limits.hit_limit);
    if (!failure) {
        WaitUntil(result.opened + uint64_t{limits.open_micros} * 1000);
        failure = Set(0, 0);
        result.closed = Now();
    }
    links.Close();
    if (failure)
        return failure;
    ring_buffer__consume(ends_.get()); /* a CPU may have closed it at the last moment */
    result.full = ended_at_ != 0;
    if (result.full)
        result.closed = ended_at_;
    return ReadPerCpuMap(cpu_states_, kAllElements, result.cpu_states);
}

} // namespace mapscope
