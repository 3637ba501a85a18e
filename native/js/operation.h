/*
 * Kernel calls that take time, off the JavaScript thread, as promises; and a queue that runs those of one
 * object one after the other, in the order in which they were asked for.
 *
 * A mutex in the workers would do the first half only: waiting operations would each hold one of libuv's four
 * threads, and the order in which they get the lock would be anyone's guess.
 */
#ifndef MAPSCOPE_NATIVE_JS_OPERATION_H
#define MAPSCOPE_NATIVE_JS_OPERATION_H

#include <deque>
#include <functional>
#include <memory>

#include <napi.h>

#include "native/base/failure.h"

namespace mapscope {

class Operation : public Napi::AsyncWorker {
  public:
    using Work = std::function<Status()>; /* on a pool thread; must not touch JavaScript */
    using Deliver =
        std::function<Napi::Value(Napi::Env)>; /* on the JavaScript thread, makes the promise's value */
    using Finished = std::function<void()>;    /* on the JavaScript thread, whatever happened */

    Operation(Napi::Env env, Work work, Deliver deliver);

    Napi::Promise promise() const { return deferred_.Promise(); }
    void set_finished(Finished finished) { finished_ = std::move(finished); }

    /** Rejects the promise of an operation that was never started. */
    void Refuse(const Failure &failure);

  protected:
    void Execute() override { failure_ = work_(); }
    void OnOK() override;
    void OnWorkComplete(Napi::Env env, napi_status status) override;

  private:
    Work work_;
    Deliver deliver_;
    Finished finished_;
    Status failure_;
    Napi::Promise::Deferred deferred_;
};

/** All of its methods belong to the JavaScript thread. */
class OperationQueue {
  public:
    /** `idle` is called each time the last operation has ended. */
    OperationQueue(Napi::Env env, std::function<void()> idle) : env_(env), idle_(std::move(idle)) {}

    void Add(std::unique_ptr<Operation> operation);

    /** Refuses what has not started; what runs is left to end. */
    void RefuseWaiting(const Failure &failure);

    bool busy() const { return busy_; }

  private:
    void StartNext();

    Napi::Env env_;
    std::function<void()> idle_;
    std::deque<std::unique_ptr<Operation>> waiting_;
    bool busy_ = false;
};

} // namespace mapscope

#endif
