/* Failures as JavaScript errors: the one place where the two meet. */
#ifndef MAPSCOPE_NATIVE_JS_ERROR_H
#define MAPSCOPE_NATIVE_JS_ERROR_H

#include <napi.h>

#include "native/base/failure.h"

namespace mapscope {

inline Napi::Value ToError(Napi::Env env, const Failure &failure) {
    const bool wrong_type = failure.code == "ERR_INVALID_ARG_TYPE";
    Napi::Error error = wrong_type ? static_cast<Napi::Error>(Napi::TypeError::New(env, failure.sentence))
                                   : Napi::Error::New(env, failure.sentence);
    error.Set("code", Napi::String::New(env, failure.code));
    return error.Value();
}

/** Throws, and returns the value that a callback must return after that. */
inline Napi::Value Throw(Napi::Env env, const Failure &failure) {
    Napi::Error(env, ToError(env, failure)).ThrowAsJavaScriptException();
    return env.Undefined();
}

inline Napi::Promise RejectedPromise(Napi::Env env, const Failure &failure) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Reject(ToError(env, failure));
    return deferred.Promise();
}

} // namespace mapscope

#endif
