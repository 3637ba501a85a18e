/* Keeps track of stopped children and kills them at exit; see stopped_children.h. */
#include "stopped_children.h"

#include <csignal>

namespace mapscope {

namespace {

/* Its destructor runs in exit(), which an uncaught exception and process.exit() end in. */
struct KillAtExit {
    ~KillAtExit() { StoppedChildren::Get().KillAll(); }
} kill_at_exit;

} // namespace

StoppedChildren &StoppedChildren::Get() {
    /* Never destroyed: a thread that waits for a child which is killed at exit calls Remove() after that. */
    static auto *const children = new StoppedChildren();
    return *children;
}

void StoppedChildren::Add(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.insert(pid);
}

void StoppedChildren::Remove(pid_t pid) {
    const std::lock_guard lock(mutex_);
    pids_.erase(pid);
}

void StoppedChildren::KillAll() {
    const std::lock_guard lock(mutex_);
    for (const pid_t pid : pids_)
        kill(pid, SIGKILL);
    pids_.clear();
}

} // namespace mapscope
