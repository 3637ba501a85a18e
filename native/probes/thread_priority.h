/*
 * Threads that must not wait for a processor: while breakpoints are in a target and the thread that takes
 * them out does not run, the target is hit in vain, for a time slice of other threads each time.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_THREAD_PRIORITY_H
#define MAPSCOPE_NATIVE_PROBES_THREAD_PRIORITY_H

#include <cstdint>

namespace mapscope {

/*
 * struct sched_attr in its first version, of 48 bytes (include/uapi/linux/sched/types.h). Under a name of its
 * own: that header and the C library's <sched.h> cannot be included together.
 */
struct SchedulingAttributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* ns; of usual threads the time slice, from Linux 6.12 on, and ignored before */
    uint64_t deadline;
    uint64_t period;
};
static_assert(sizeof(SchedulingAttributes) == 48);

/**
 * Puts the calling thread, and those that it starts, before all usual ones for as long as this lives: at the
 * lowest real-time priority, or, without the right to that, with the shortest time slice, for which
 * Linux 6.12 and later let a thread run soon after it wakes.
 */
class ThreadPriority {
  public:
    ThreadPriority();
    ~ThreadPriority();
    ThreadPriority(const ThreadPriority &) = delete;
    ThreadPriority &operator=(const ThreadPriority &) = delete;

    /** Whether this process has the right to it: CAP_SYS_NICE or RLIMIT_RTPRIO, and no cgroup that forbids
     * it. */
    bool is_real_time() const { return is_real_time_; }

  private:
    SchedulingAttributes before_ = {};
    bool is_known_ = false;
    bool is_real_time_ = false;
};

} // namespace mapscope

#endif
