/* Programs that processes execute, told by the event loop. */
#ifndef MAPSCOPE_NATIVE_JS_WATCH_EXEC_WATCH_H
#define MAPSCOPE_NATIVE_JS_WATCH_EXEC_WATCH_H

#include <string>

#include <napi.h>

#include "native/bpf/exec_events.h"

namespace mapscope {

/**
 * Calls `executed` with the ids of processes that have executed a program, and whether these are all of them.
 * The function that it returns ends the watch.
 */
Napi::Value WatchExecs(Napi::Env env, const std::string &path, const PidNamespace &own,
                       Napi::Function executed);

} // namespace mapscope

#endif
