/* Starts the target of `mapscope run`, and lets it go. */
#ifndef MAPSCOPE_NATIVE_PROCESS_SPAWN_H
#define MAPSCOPE_NATIVE_PROCESS_SPAWN_H

#include <string>
#include <vector>

#include <sys/types.h>

#include "native/base/failure.h"

namespace mapscope {

struct Program {
    std::string file; /* a path: PATH is not searched */
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
};

/**
 * Starts a program and leaves it stopped before its first instruction, traced by the calling thread. When
 * that thread ends before Resume(), however it does, the kernel kills the program.
 */
Result<pid_t> SpawnStopped(const Program &program);

/** Lets it run, untraced. To be called by the thread that has started it. */
Status Resume(pid_t pid);

} // namespace mapscope

#endif
