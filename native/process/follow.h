/* Follows a started program through what it executes, and what it starts. */
#ifndef MAPSCOPE_NATIVE_PROCESS_FOLLOW_H
#define MAPSCOPE_NATIVE_PROCESS_FOLLOW_H

#include <map>
#include <vector>

#include <sys/types.h>

#include "native/base/failure.h"

namespace mapscope {

/**
 * A program that SpawnStopped() has started, with all processes that come from it. Each stands still at the
 * end of each execve() of its own, before the first instruction of the new program, until it is told to go
 * on. They are traced by the thread that has started the program, and all of this is to be called there:
 * when it ends, the kernel kills them all. That thread traces nothing else.
 */
class Follower {
  public:
    /** To be called once, while the program stands where SpawnStopped() has left it. */
    Status Begin(pid_t started);

    /**
     * Handles what has happened to the processes since the last call; to be called at each SIGCHLD.
     *
     * @return processes that stand at the end of an execve() now
     */
    std::vector<pid_t> Step();

    /** Lets a process go on from the end of an execve(), still followed. */
    void GoOn(pid_t pid);

    /**
     * Follows no process any longer. One, which stands at the end of an execve(), stays there for Resume(); 0
     * for none. Those that run have to stop before they can be let go: Step() sees to it.
     */
    void LetGo(pid_t but);

    /** Whether none is traced any longer. The started program's end counts as long as nobody has waited for
     * it. */
    bool is_over() const;

  private:
    enum class State { kRuns, kStopped, kEnded };

    /* The status as waitid() gives it for a thread that has stopped. */
    State Look(pid_t thread, int &status) const;
    static pid_t Peek();
    bool FindUntold();
    void HandleStop(pid_t thread, int status);
    void Detach(pid_t thread, int signal);

    pid_t started_ = 0;
    bool letting_go_ = false;
    std::map<pid_t, bool> threads_; /* whether it stands at the end of an execve() */
    std::vector<pid_t> reached_;
};

} // namespace mapscope

#endif
