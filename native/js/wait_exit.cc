/*
 * Waits for a child on a thread of its own: a target runs for hours, and one of libuv's four pool threads
 * would be gone for as long.
 *
 * The thread waits for the process or for the end of the JavaScript environment, whichever comes first, so
 * that a worker (or a test) can end while the child still runs. It never waits for the process alone: one
 * that a debugger traces has ended, as its pidfd says, long before its parent may reap it.
 */
#include "native/js/wait_exit.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <optional>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "native/base/unique_fd.h"
#include "native/js/error.h"
#include "native/process/cpu_time.h"
#include "native/process/pidfd.h"

namespace mapscope {

namespace {

/* The C library's headers have it from glibc 2.36 on only. */
constexpr auto kPidfd = static_cast<idtype_t>(3);

/* How often is asked for an end that somebody else has to take note of first, in milliseconds. */
constexpr int kAskAgainMillis = 50;

class ExitWaiter {
  public:
    ExitWaiter(Napi::Env env, pid_t pid)
        : env_(env), pid_(pid), attempted_("cannot wait for process " + std::to_string(pid)),
          deferred_(Napi::Promise::Deferred::New(env)) {}

    /* Afterwards the waiter owns itself: it is deleted by Finalize(), or here when it could not be started.
     */
    Napi::Promise Start() {
        const Napi::Promise promise = deferred_.Promise();
        if (Status failure = Prepare()) {
            deferred_.Reject(ToError(env_, *failure));
            delete this;
        } else if (const int error = pthread_create(&thread_, nullptr, Run, this)) {
            deferred_.Reject(ToError(env_, SystemFailure(attempted_, error)));
            joined_ = true;
            napi_release_threadsafe_function(on_exit_, napi_tsfn_abort); /* leads to Finalize() */
        } else {
            napi_add_env_cleanup_hook(env_, StopAtShutdown, this);
        }
        return promise;
    }

  private:
    Status Prepare() {
        siginfo_t ignored;
        if (waitid(P_PID, pid_, &ignored, WEXITED | WNOHANG | WNOWAIT) < 0)
            return SystemFailure(attempted_, errno); /* no child of ours, or waited for already */
        process_ = OpenPidfd(pid_);
        shutdown_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
        if (!process_ || !shutdown_)
            return SystemFailure(attempted_, errno);
        /* Referenced by the event loop: Node does not exit while it waits. */
        const napi_status status = napi_create_threadsafe_function(
            env_, nullptr, nullptr, Napi::String::New(env_, "mapscope.waitExit"), 0, 1, this, Finalize, this,
            Settle, &on_exit_);
        if (status != napi_ok)
            return Failure{attempted_ + ": the JavaScript environment is ending", "ECANCELED"};
        return {};
    }

    static void *Run(void *self) {
        auto *waiter = static_cast<ExitWaiter *>(self);
        if (waiter->Wait())
            napi_call_threadsafe_function(waiter->on_exit_, nullptr, napi_tsfn_nonblocking);
        /* From here on the JavaScript thread may delete the waiter, once it has joined this thread. */
        napi_release_threadsafe_function(waiter->on_exit_, napi_tsfn_release);
        return nullptr;
    }

    /* False when the environment ends first. */
    bool Wait() {
        struct pollfd events[2] = {{shutdown_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
        Await(events, 2, -1);
        for (; !events[0].revents; Await(events, 1, kAskAgainMillis))
            if (events[1].revents && Reap())
                return true;
        return false;
    }

    static void Await(struct pollfd *events, nfds_t count, int millis) {
        while (poll(events, count, millis) < 0 && errno == EINTR) {
        }
    }

    /* Takes the end of the process, or the reason why that cannot be. False while a tracer has not. */
    bool Reap() {
        /* The CPU clock of a process can be read until it is reaped. */
        if (Result<double> cpu = CpuSeconds(pid_))
            cpu_seconds_ = *cpu;
        /* Without WSTOPPED and WCONTINUED: stopping and going on are no ends. */
        if (waitid(kPidfd, static_cast<id_t>(process_.get()), &end_, WEXITED | WNOHANG) < 0)
            error_ = errno;
        return error_ != 0 || end_.si_pid != 0;
    }

    /* On the JavaScript thread; without an environment when that is ending. */
    static void Settle(napi_env env, napi_value, void *self, void *) {
        if (env == nullptr)
            return;
        auto *waiter = static_cast<ExitWaiter *>(self);
        waiter->process_.Close(); /* not left to Finalize(), which comes some turns of the event loop later */
        waiter->shutdown_.Close();
        if (waiter->error_) {
            waiter->deferred_.Reject(ToError(env, SystemFailure(waiter->attempted_, waiter->error_)));
            return;
        }
        auto result = Napi::Object::New(env);
        const Napi::Value status = Napi::Number::New(env, waiter->end_.si_status);
        const bool exited = waiter->end_.si_code == CLD_EXITED;
        result.Set("exitCode", exited ? status : Napi::Env(env).Null());
        result.Set("signal", exited ? Napi::Env(env).Null() : status);
        result.Set("cpuSeconds", waiter->cpu_seconds_
                                     ? Napi::Number::New(env, *waiter->cpu_seconds_).As<Napi::Value>()
                                     : Napi::Env(env).Null());
        waiter->deferred_.Resolve(result);
    }

    /* Runs before Node closes the thread-safe function: hooks run in reverse order of their registration. */
    static void StopAtShutdown(void *self) {
        auto *waiter = static_cast<ExitWaiter *>(self);
        const uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = write(waiter->shutdown_.get(), &one, sizeof(one));
        pthread_join(waiter->thread_, nullptr);
        waiter->joined_ = true;
    }

    static void Finalize(napi_env env, void *self, void *) {
        auto *waiter = static_cast<ExitWaiter *>(self);
        if (!waiter->joined_) {
            napi_remove_env_cleanup_hook(env, StopAtShutdown, waiter);
            pthread_join(waiter->thread_, nullptr);
        }
        delete waiter;
    }

    Napi::Env env_;
    const pid_t pid_;
    const std::string attempted_;
    Napi::Promise::Deferred deferred_;
    UniqueFd process_;  /* readable when the process has ended */
    UniqueFd shutdown_; /* readable when the environment ends */
    napi_threadsafe_function on_exit_ = nullptr;
    pthread_t thread_ = {};
    bool joined_ = false;
    siginfo_t end_ = {}; /* written before on_exit_ is called */
    int error_ = 0;
    std::optional<double> cpu_seconds_;
};

} // namespace

Napi::Promise WaitExit(Napi::Env env, pid_t pid) { return (new ExitWaiter(env, pid))->Start(); }

} // namespace mapscope
