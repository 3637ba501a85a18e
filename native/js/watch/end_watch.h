/* The end of any process, told by the event loop. */
#ifndef MAPSCOPE_NATIVE_JS_WATCH_END_WATCH_H
#define MAPSCOPE_NATIVE_JS_WATCH_END_WATCH_H

#include <napi.h>
#include <sys/types.h>

namespace mapscope {

/** Calls `ended` once, when the process has ended. The function that it returns ends the watch before. */
Napi::Value WatchEnd(Napi::Env env, pid_t pid, Napi::Function ended);

} // namespace mapscope

#endif
