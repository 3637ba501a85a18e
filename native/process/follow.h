/* Follows a started program through what it executes, and what it starts. */
#ifndef MAPSCOPE_NATIVE_PROCESS_FOLLOW_H
#define MAPSCOPE_NATIVE_PROCESS_FOLLOW_H

#include <cstdint>
#include <map>
#include <vector>

#include <sys/types.h>

#include "native/base/failure.h"

namespace mapscope {

/**
 * A program that SpawnStopped() has started, with all processes that come from it. Each stands still at the
 * end of each execve() of its own, before the first instruction of the new program, until it is told to go
 * on; and each thread at an instruction that is watched. They are traced by the thread that has started the
 * program, and all of this is to be called there: when it ends, the kernel kills them all. That thread traces
 * nothing else.
 */
class Follower {
  public:
    /** To be called once, while the program stands where SpawnStopped() has left it. */
    Status Begin(pid_t started);

    /**
     * Handles what has happened to the processes since the last call; to be called at each SIGCHLD.
     *
     * @return threads that stand now: at the end of an execve(), or at the watched instruction
     */
    std::vector<pid_t> Step();

    /** Whether one that stands does so at the end of an execve(), or at its start because its maker was
     * killed. */
    bool IsAtExec(pid_t thread) const;

    /**
     * Lets one go on that stands, still followed.
     *
     * @param watched an instruction at which it is to stand again, as are the threads and processes that it
     * starts, until an execve(); 0: as before
     * @return false when that instruction cannot be watched
     */
    bool GoOn(pid_t thread, uintptr_t watched);

    /**
     * Follows no process any longer. One thread, which stands, stays there for Resume(); 0 for none. Those
     * that run have to stop before they can be let go: Step() sees to it.
     */
    void LetGo(pid_t but);

    /** Whether none is traced any longer. The started program's end counts as long as nobody has waited for
     * it. */
    bool is_over() const;

  private:
    enum class State { kRuns, kStopped, kEnded };

    struct Thread {
        bool stands = false;
        bool at_exec = false;
        bool is_untold = false; /* by the one that has made it */
        uintptr_t watched = 0;
        bool is_watched = false; /* the kernel has been told */
    };

    /* The status as waitid() gives it for a thread that has stopped. */
    State Look(pid_t thread, int &status) const;
    static pid_t Peek();
    bool FindUntold();
    void HandleStop(pid_t thread, int status);
    void Tell(pid_t child, const Thread &parent);
    void Detach(pid_t thread, int signal);
    bool Watch(pid_t thread, Thread &state);
    void Unwatch(pid_t thread, Thread &state);

    pid_t started_ = 0;
    bool letting_go_ = false;
    std::map<pid_t, Thread> threads_;
    std::vector<pid_t> reached_;
};

} // namespace mapscope

#endif
