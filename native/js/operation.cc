/* Promises for work on other threads, one at a time per object; see operation.h. */
#include "native/js/operation.h"

#include "native/js/error.h"

namespace mapscope {

Operation::Operation(Napi::Env env, Work work, Deliver deliver)
    : Napi::AsyncWorker(env, "mapscope"), work_(std::move(work)), deliver_(std::move(deliver)),
      deferred_(Napi::Promise::Deferred::New(env)) {}

void Operation::Refuse(const Failure &failure) { deferred_.Reject(ToError(Env(), failure)); }

void Operation::OnOK() {
    if (failure_)
        deferred_.Reject(ToError(Env(), *failure_));
    else
        deferred_.Resolve(deliver_(Env()));
}

/* Also reached, with a status other than napi_ok, when the environment is torn down: the queue must go on
 * then, too. */
void Operation::OnWorkComplete(Napi::Env env, napi_status status) {
    const Finished finished = std::move(finished_);
    Napi::AsyncWorker::OnWorkComplete(env, status); /* deletes this */
    if (finished)
        finished();
}

/* False while a worker is being terminated, and at the end of every environment. */
static bool CanRunJavaScript(napi_env env) {
    napi_value global;
    bool ignored;
    return napi_get_global(env, &global) == napi_ok &&
           napi_has_named_property(env, global, "mapscope", &ignored) == napi_ok;
}

void OperationQueue::Add(std::unique_ptr<Operation> operation) {
    waiting_.push_back(std::move(operation));
    if (!busy_)
        StartNext();
}

void OperationQueue::StartNext() {
    /* Node ends an environment only when its running operations have ended: there must not always be one
     * more. */
    if (!CanRunJavaScript(env_))
        waiting_.clear();
    busy_ = !waiting_.empty();
    if (!busy_) {
        idle_();
        return;
    }
    Operation *operation = waiting_.front().release(); /* deletes itself when it has ended */
    waiting_.pop_front();
    operation->set_finished([this] { StartNext(); });
    operation->Queue();
}

void OperationQueue::RefuseWaiting(const Failure &failure) {
    for (const auto &operation : waiting_)
        operation->Refuse(failure);
    waiting_.clear();
}

} // namespace mapscope
