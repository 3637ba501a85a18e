/*
 * Children that were started, stand still, and have not been resumed yet.
 *
 * Should this process end before it resumes one (an error between spawn and attach, say), nobody else would:
 * the child would stand there for ever. So those are killed at exit. A child that has been resumed runs on,
 * as under any shell.
 */
#ifndef MAPSCOPE_NATIVE_STOPPED_CHILDREN_H
#define MAPSCOPE_NATIVE_STOPPED_CHILDREN_H

#include <mutex>
#include <set>

#include <sys/types.h>

namespace mapscope {

class StoppedChildren {
  public:
    static StoppedChildren &Get();

    void Add(pid_t pid);

    /** Has to be called before the child is waited for: from then on, its id may be somebody else's. */
    void Remove(pid_t pid);

    void KillAll();

  private:
    std::mutex mutex_; /* worker threads of Node share this process */
    std::set<pid_t> pids_;
};

} // namespace mapscope

#endif
