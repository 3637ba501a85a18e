/* Holds BPF run statistics on; see run_statistics.h. */
#include "run_statistics.h"

#include <cerrno>

#include <bpf/bpf.h>

#include "errors.h"

namespace mapscope {

Napi::Value RunStatistics::Enable(Napi::Env env) {
    const int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
    if (fd < 0) {
        Failure failure = SystemFailure("cannot switch on the run statistics of BPF programs", -fd);
        if (fd == -EPERM) /* the one thing here for which CAP_BPF and CAP_PERFMON are not enough */
            failure.sentence += " (it needs CAP_SYS_ADMIN)";
        return Throw(env, failure);
    }
    auto held = std::make_shared<UniqueFd>(fd);
    std::erase_if(held_, [](const auto &other) { return !*other; });
    held_.push_back(held);
    return Napi::Function::New(env, [held](const Napi::CallbackInfo &) { held->Close(); }, "disable");
}

} // namespace mapscope
