/*
 * Watches a process by its pidfd, which is readable as soon as the process has ended: looking again and again
 * would cost more than all else that a sidecar does for an idle target.
 */
#include "native/js/watch/end_watch.h"

#include <cerrno>
#include <memory>

#include <uv.h>

#include "native/js/error.h"
#include "native/process/pidfd.h"

namespace mapscope {

namespace {

/* Owns itself from Start() until libuv has let go of its handle. */
class EndWatch {
  public:
    EndWatch(Napi::Function ended, UniqueFd process)
        : env_(ended.Env()), ended_(Napi::Persistent(ended)), context_(env_, "mapscope.watchEnd"),
          process_(std::move(process)) {}

    /* 0, or an error of libuv: then it has not been started and is to be deleted. */
    int Start() {
        uv_loop_t *loop = nullptr;
        napi_get_uv_event_loop(env_, &loop);
        if (const int error = uv_poll_init(loop, &poll_, process_.get()))
            return error;
        poll_.data = this;
        napi_add_async_cleanup_hook(env_, StopAtShutdown, this, &hook_);
        /* Cannot fail: the handle is new. */
        uv_poll_start(&poll_, UV_READABLE, Tell);
        /* Node may exit while the process lives. */
        uv_unref(reinterpret_cast<uv_handle_t *>(&poll_));
        return 0;
    }

    void Stop() {
        auto *handle = reinterpret_cast<uv_handle_t *>(&poll_);
        if (!uv_is_closing(handle))
            uv_close(handle, Delete);
    }

    /* For the function that JavaScript has, which may outlive this. */
    const std::shared_ptr<EndWatch *> &self() const { return self_; }

  private:
    static void Tell(uv_poll_t *poll, int, int) {
        auto *watch = static_cast<EndWatch *>(poll->data);
        Napi::HandleScope scope(watch->env_);
        const Napi::Function ended = watch->ended_.Value();
        watch->Stop();
        ended.MakeCallback(watch->env_.Global(), {}, watch->context_);
    }

    static void StopAtShutdown(napi_async_cleanup_hook_handle, void *self) {
        static_cast<EndWatch *>(self)->Stop();
    }

    static void Delete(uv_handle_t *handle) {
        auto *watch = static_cast<EndWatch *>(handle->data);
        *watch->self_ = nullptr;
        Napi::HandleScope scope(watch->env_);
        napi_remove_async_cleanup_hook(watch->hook_);
        delete watch;
    }

    Napi::Env env_;
    Napi::FunctionReference ended_;
    Napi::AsyncContext context_;
    UniqueFd process_;
    uv_poll_t poll_ = {};
    napi_async_cleanup_hook_handle hook_ = nullptr;
    std::shared_ptr<EndWatch *> self_ = std::make_shared<EndWatch *>(this);
};

} // namespace

Napi::Value WatchEnd(Napi::Env env, pid_t pid, Napi::Function ended) {
    const std::string attempted = "cannot watch process " + std::to_string(pid);
    UniqueFd process = OpenPidfd(pid);
    if (!process)
        return Throw(env, SystemFailure(attempted, errno));
    auto watch = std::make_unique<EndWatch>(ended, std::move(process));
    if (const int error = watch->Start())
        return Throw(env, SystemFailure(attempted, -error));
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
