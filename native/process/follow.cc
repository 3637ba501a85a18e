/*
 * Follows processes under ptrace; see follow.h.
 *
 * The children of a traced process are traced from their first instruction on, with the same options. What
 * happens to them is reported by waitid(). It is taken by each thread's id: a wait for any takes the ends of
 * children that others wait for.
 */
#include "native/process/follow.h"

#include <cerrno>
#include <csignal>

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "native/process/watch.h"

namespace mapscope {

namespace {

constexpr int kAny = WSTOPPED | WEXITED | WNOHANG | __WNOTHREAD;

constexpr uintptr_t kOptions =
    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;

/* ptrace() takes numbers where it takes pointers. */
void *AsPointer(uintptr_t number) { return reinterpret_cast<void *>(number); }

bool IsStopSignal(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

Status Follower::Begin(pid_t started) {
    if (ptrace(PTRACE_SETOPTIONS, started, nullptr, AsPointer(kOptions)) < 0)
        return SystemFailure("cannot follow process " + std::to_string(started), errno);
    started_ = started;
    threads_[started] = {.stands = true, .at_exec = true};
    return {};
}

/*
 * What has happened to a thread is asked for once, and only looked at: a wait for an end alone would take a
 * stop of a traced thread as well (wait_task_stopped() in the kernel's exit.c: "regardless of options"), and
 * a thread whose stop nobody knows of stands still for ever. The started program's end is left to whoever
 * waits for it.
 */
Follower::State Follower::Look(pid_t thread, int &status) const {
    siginfo_t info = {};
    if (waitid(P_PID, thread, &info, kAny | __WALL | WNOWAIT) < 0)
        return State::kEnded;
    if (info.si_pid != thread)
        return State::kRuns;
    const bool has_ended =
        info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    if (!has_ended || thread != started_)
        waitid(P_PID, thread, &info, (kAny | __WALL) & ~(has_ended ? WSTOPPED : WEXITED));
    status = info.si_status;
    return has_ended ? State::kEnded : State::kStopped;
}

/*
 * Looks for a traced thread that has something to tell, and takes nothing. __WCLONE leaves out the children
 * of this process that are not traced: they were not cloned in the kernel's sense, and a tracer's own threads
 * are asked for whatever they are (eligible_child() in the kernel's exit.c).
 *
 * @return 0 when none has; -1 when there is none at all
 */
pid_t Follower::Peek() {
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, kAny | __WCLONE | WNOWAIT) < 0)
        return -1;
    return info.si_pid;
}

bool Follower::is_over() const { return Peek() < 0; }

/*
 * A new thread is traced before the one that has made it stops to tell its id, and never does when it is
 * killed in between. So whatever nobody has told of is taken as one more. What it is to watch is not known
 * then: it stands at its start, as at an execve(), for whoever says. The end of the started program stays
 * until it is waited for, and hides nothing: the kernel looks at it last, because it was traced first.
 */
bool Follower::FindUntold() {
    const pid_t thread = Peek();
    return thread > 0 && thread != started_ && threads_.emplace(thread, Thread{.is_untold = true}).second;
}

std::vector<pid_t> Follower::Step() {
    reached_.clear();
    bool moved;
    do {
        moved = FindUntold();
        for (auto next = threads_.begin(); next != threads_.end();) {
            const pid_t thread = (next++)->first; /* what is handled may remove it */
            int status = 0;
            const State state = Look(thread, status);
            if (state == State::kStopped) {
                HandleStop(thread, status);
                moved = true;
            } else if (state == State::kEnded) {
                threads_.erase(thread);
                moved = true;
            }
        }
    } while (moved);
    return reached_;
}

void Follower::HandleStop(pid_t thread, int status) {
    const int signal = status & 0xff;
    const int event = status >> 8;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        unsigned long child = 0;
        if (ptrace(PTRACE_GETEVENTMSG, thread, nullptr, &child) == 0)
            Tell(static_cast<pid_t>(child), threads_[thread]);
    }
    const bool at_watched = event == 0 && signal == SIGTRAP && IsAtWatchedInstruction(thread);
    /* A signal that is about to be delivered is handed on: it would be lost otherwise. */
    const int delivered = event == 0 && !at_watched ? signal : 0;
    if (event == PTRACE_EVENT_EXEC || threads_[thread].is_untold)
        threads_[thread] = {.at_exec = true};
    Thread &state = threads_[thread];
    if (letting_go_) {
        Detach(thread, delivered);
        return;
    }
    if (state.at_exec || at_watched) {
        state.stands = true;
        reached_.push_back(thread);
        return;
    }
    Watch(thread, state);
    if (event == PTRACE_EVENT_STOP && IsStopSignal(signal)) {
        /* Stopped for job control: it stays so until SIGCONT. */
        ptrace(PTRACE_LISTEN, thread, nullptr, nullptr);
    } else {
        ptrace(PTRACE_CONT, thread, nullptr, AsPointer(delivered));
    }
}

/* What was found before, and stands or runs by now, has been told what to watch by others. */
void Follower::Tell(pid_t child, const Thread &parent) {
    Thread &state = threads_.emplace(child, Thread{.is_untold = true}).first->second;
    if (!state.is_untold)
        return;
    state.is_untold = false;
    state.watched = parent.watched;
}

/* Tells the kernel what is watched, once. */
bool Follower::Watch(pid_t thread, Thread &state) {
    if (state.watched == 0 || state.is_watched)
        return true;
    state.is_watched = WatchInstruction(thread, state.watched);
    return state.is_watched;
}

void Follower::Unwatch(pid_t thread, Thread &state) {
    if (state.is_watched)
        WatchInstruction(thread, 0);
    state.is_watched = false;
}

bool Follower::IsAtExec(pid_t thread) const {
    const auto found = threads_.find(thread);
    return found != threads_.end() && found->second.at_exec;
}

bool Follower::GoOn(pid_t thread, uintptr_t watched) {
    const auto found = threads_.find(thread);
    if (found == threads_.end() || !found->second.stands)
        return true;
    Thread &state = found->second;
    state.stands = false;
    state.at_exec = false;
    if (watched != 0)
        state.watched = watched;
    const bool is_watched = Watch(thread, state);
    const bool goes_on = ptrace(PTRACE_CONT, thread, nullptr, nullptr) == 0;
    /* Both fail when it was killed meanwhile, which Step() sees. */
    return is_watched || !goes_on;
}

void Follower::Detach(pid_t thread, int signal) {
    Unwatch(thread, threads_[thread]);
    /* Fails when it was killed meanwhile: then its end is still to be waited for. */
    if (ptrace(PTRACE_DETACH, thread, nullptr, AsPointer(signal)) == 0)
        threads_.erase(thread);
}

void Follower::LetGo(pid_t but) {
    letting_go_ = true;
    if (const auto kept = threads_.find(but); kept != threads_.end()) {
        Unwatch(but, kept->second);
        threads_.erase(kept);
    }
    for (auto next = threads_.begin(); next != threads_.end();) {
        const auto [thread, state] = *next++;
        if (state.stands)
            Detach(thread, 0);
        else
            ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
    }
}

} // namespace mapscope
