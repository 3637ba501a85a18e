/* The JavaScript side of a followed program; see follower_object.h. */
#include "native/js/follower_object.h"

#include "native/js/arguments.h"
#include "native/js/error.h"

namespace mapscope {

Napi::Function FollowerObject::Define(Napi::Env env) {
    return DefineClass(env, "ProgramFollower",
                       {
                           InstanceMethod<&FollowerObject::Step>("step"),
                           InstanceMethod<&FollowerObject::IsAtExec>("isAtExec"),
                           InstanceMethod<&FollowerObject::GoOn>("goOn"),
                           InstanceMethod<&FollowerObject::LetGo>("letGo"),
                           InstanceAccessor<&FollowerObject::IsOver>("isOver"),
                       });
}

FollowerObject::FollowerObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<FollowerObject>(info) {
    Arguments arguments("new ProgramFollower");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    if (arguments.failure())
        Throw(info.Env(), *arguments.failure());
    else if (Status failure = follower_.Begin(pid))
        Throw(info.Env(), *failure);
}

Napi::Value FollowerObject::Step(const Napi::CallbackInfo &info) {
    const std::vector<pid_t> reached = follower_.Step();
    auto result = Napi::Array::New(info.Env(), reached.size());
    for (uint32_t i = 0; i < reached.size(); i++)
        result.Set(i, Napi::Number::New(info.Env(), reached[i]));
    return result;
}

Napi::Value FollowerObject::IsAtExec(const Napi::CallbackInfo &info) {
    Arguments arguments("isAtExec");
    const pid_t thread = arguments.ProcessId(info[0], "thread");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    return Napi::Boolean::New(info.Env(), follower_.IsAtExec(thread));
}

Napi::Value FollowerObject::GoOn(const Napi::CallbackInfo &info) {
    Arguments arguments("goOn");
    const pid_t thread = arguments.ProcessId(info[0], "thread");
    const uint64_t watched = info[1].IsUndefined() ? 0 : arguments.Word(info[1], "watched");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    return Napi::Boolean::New(info.Env(), follower_.GoOn(thread, watched));
}

Napi::Value FollowerObject::LetGo(const Napi::CallbackInfo &info) {
    Arguments arguments("letGo");
    const pid_t pid = info[0].IsUndefined() ? 0 : arguments.ProcessId(info[0], "but");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    follower_.LetGo(pid);
    return info.Env().Undefined();
}

Napi::Value FollowerObject::IsOver(const Napi::CallbackInfo &info) {
    return Napi::Boolean::New(info.Env(), follower_.is_over());
}

} // namespace mapscope
