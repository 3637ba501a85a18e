/* A program that is followed, for JavaScript. */
#ifndef MAPSCOPE_NATIVE_JS_FOLLOWER_OBJECT_H
#define MAPSCOPE_NATIVE_JS_FOLLOWER_OBJECT_H

#include <napi.h>

#include "native/process/follow.h"

namespace mapscope {

class FollowerObject : public Napi::ObjectWrap<FollowerObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    explicit FollowerObject(const Napi::CallbackInfo &info);

  private:
    Napi::Value Step(const Napi::CallbackInfo &info);
    Napi::Value IsAtExec(const Napi::CallbackInfo &info);
    Napi::Value GoOn(const Napi::CallbackInfo &info);
    Napi::Value LetGo(const Napi::CallbackInfo &info);
    Napi::Value IsOver(const Napi::CallbackInfo &info);

    Follower follower_;
};

} // namespace mapscope

#endif
