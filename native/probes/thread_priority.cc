/* The C library has no functions for these system calls; see thread_priority.h. */
#include "native/probes/thread_priority.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mapscope {

namespace {

/* In nanoseconds; the kernel takes no less. */
constexpr uint64_t kShortestSlice = 100'000;

bool SetAttributes(SchedulingAttributes attributes) {
    attributes.size = sizeof(attributes);
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

} // namespace

ThreadPriority::ThreadPriority() {
    is_known_ = syscall(SYS_sched_getattr, 0, &before_, sizeof(before_), 0) == 0;
    if (!is_known_ || before_.policy != SCHED_OTHER)
        return; /* whoever gave it another one knows why */
    SchedulingAttributes real_time = {};
    real_time.policy = SCHED_FIFO;
    real_time.priority = 1;
    is_real_time_ = SetAttributes(real_time);
    if (is_real_time_)
        return;
    SchedulingAttributes soon = before_;
    soon.runtime = kShortestSlice;
    SetAttributes(soon);
}

ThreadPriority::~ThreadPriority() {
    if (is_known_)
        SetAttributes(before_);
}

} // namespace mapscope
