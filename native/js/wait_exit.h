/* The end of a child process, as a promise. */
#ifndef MAPSCOPE_NATIVE_JS_WAIT_EXIT_H
#define MAPSCOPE_NATIVE_JS_WAIT_EXIT_H

#include <napi.h>
#include <sys/types.h>

namespace mapscope {

Napi::Promise WaitExit(Napi::Env env, pid_t pid);

} // namespace mapscope

#endif
