/*
 * Hands on what the kernel tells of each execve(). A machine may execute thousands a second, so that they are
 * taken together, a few times a second: what is there while nobody looks stays readable.
 */
#include "native/js/watch/exec_watch.h"

#include <memory>

#include <uv.h>

#include "native/js/error.h"

namespace mapscope {

namespace {

/* Between two calls of JavaScript, at least. */
constexpr uint64_t kPauseMillis = 100;

/* Owns itself from Start() until libuv has let go of both of its handles. */
class ExecWatch {
  public:
    ExecWatch(Napi::Function executed, std::unique_ptr<ExecEvents> events)
        : env_(executed.Env()), executed_(Napi::Persistent(executed)), context_(env_, "mapscope.watchExecs"),
          events_(std::move(events)) {}

    /* 0, or an error of libuv: then it has not been started and is to be deleted. */
    int Start() {
        uv_loop_t *loop = nullptr;
        napi_get_uv_event_loop(env_, &loop);
        if (const int error = uv_poll_init(loop, &poll_, events_->descriptor()))
            return error;
        poll_.data = pause_.data = this;
        /* Neither can fail: the handles are new. */
        uv_timer_init(loop, &pause_);
        uv_poll_start(&poll_, UV_READABLE, Tell);
        napi_add_async_cleanup_hook(env_, StopAtShutdown, this, &hook_);
        /* Node may exit whatever others execute. */
        uv_unref(Handle(&poll_));
        uv_unref(Handle(&pause_));
        return 0;
    }

    void Stop() {
        if (uv_is_closing(Handle(&poll_)))
            return;
        uv_close(Handle(&poll_), [](uv_handle_t *handle) {
            auto *watch = static_cast<ExecWatch *>(handle->data);
            uv_close(Handle(&watch->pause_), Delete);
        });
    }

    /* For the function that JavaScript has, which may outlive this. */
    const std::shared_ptr<ExecWatch *> &self() const { return self_; }

  private:
    template <typename T>
    static uv_handle_t *Handle(T *handle) {
        return reinterpret_cast<uv_handle_t *>(handle);
    }

    static void Tell(uv_poll_t *poll, int, int) {
        auto *watch = static_cast<ExecWatch *>(poll->data);
        uv_poll_stop(poll);
        uv_timer_start(&watch->pause_, GoOn, kPauseMillis, 0);
        const std::vector<uint32_t> processes = watch->events_->Take();
        Napi::HandleScope scope(watch->env_);
        auto ids = Napi::Array::New(watch->env_, processes.size());
        for (uint32_t i = 0; i < processes.size(); i++)
            ids.Set(i, Napi::Number::New(watch->env_, processes[i]));
        const auto complete = Napi::Boolean::New(watch->env_, processes.size() < ExecEvents::kCapacity / 2);
        watch->executed_.Value().MakeCallback(watch->env_.Global(), {ids, complete}, watch->context_);
    }

    static void GoOn(uv_timer_t *pause) {
        auto *watch = static_cast<ExecWatch *>(pause->data);
        if (!uv_is_closing(Handle(&watch->poll_)))
            uv_poll_start(&watch->poll_, UV_READABLE, Tell);
    }

    static void StopAtShutdown(napi_async_cleanup_hook_handle, void *self) {
        static_cast<ExecWatch *>(self)->Stop();
    }

    static void Delete(uv_handle_t *handle) {
        auto *watch = static_cast<ExecWatch *>(handle->data);
        *watch->self_ = nullptr;
        Napi::HandleScope scope(watch->env_);
        napi_remove_async_cleanup_hook(watch->hook_);
        delete watch;
    }

    Napi::Env env_;
    Napi::FunctionReference executed_;
    Napi::AsyncContext context_;
    std::unique_ptr<ExecEvents> events_;
    uv_poll_t poll_ = {};
    uv_timer_t pause_ = {};
    napi_async_cleanup_hook_handle hook_ = nullptr;
    std::shared_ptr<ExecWatch *> self_ = std::make_shared<ExecWatch *>(this);
};

} // namespace

Napi::Value WatchExecs(Napi::Env env, const std::string &path, const PidNamespace &own,
                       Napi::Function executed) {
    auto events = ExecEvents::Begin(path, own);
    if (!events)
        return Throw(env, events.failure());
    auto watch = std::make_unique<ExecWatch>(executed, std::move(*events));
    if (const int error = watch->Start())
        return Throw(env, SystemFailure("cannot watch what is executed", -error));
    const auto self = watch.release()->self();
    return Napi::Function::New(
        env,
        [self](const Napi::CallbackInfo &) {
            if (*self != nullptr)
                (*self)->Stop();
        },
        "stop");
}

} // namespace mapscope
