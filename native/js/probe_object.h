/*
 * The class ProbeObject of src/kernel/addon.ts: one BPF object, its probes and its maps.
 *
 * This is the JavaScript side only: it takes arguments, keeps the order of operations and settles promises.
 * The work is done by BpfObject, UprobeLinks and map_access, which know nothing of JavaScript.
 */
#ifndef MAPSCOPE_NATIVE_JS_PROBE_OBJECT_H
#define MAPSCOPE_NATIVE_JS_PROBE_OBJECT_H

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <napi.h>

#include "native/bpf/bpf_object.h"
#include "native/bpf/map_access.h"
#include "native/js/arguments.h"
#include "native/js/operation.h"
#include "native/probes/uprobe_links.h"
#include "native/probes/window.h"

namespace mapscope {

class ProbeObject : public Napi::ObjectWrap<ProbeObject> {
  public:
    static Napi::Function Define(Napi::Env env);

    explicit ProbeObject(const Napi::CallbackInfo &info);
    ~ProbeObject() override;

  private:
    /* Everything that lives in the kernel. Links go first: members are destroyed in reverse order. */
    struct Session {
        std::unique_ptr<BpfObject> object;
        std::unique_ptr<WindowGate> gate; /* from the first window on */
        UprobeLinks links;
    };

    /* Written by the thread that loads, read by JavaScript at any time, and kept after close(). */
    struct VerifierLogText {
        std::mutex mutex;
        std::string text;
    };

    Napi::Value Load(const Napi::CallbackInfo &info);
    Napi::Value Attach(const Napi::CallbackInfo &info);
    Napi::Value Window(const Napi::CallbackInfo &info);
    Napi::Value Detach(const Napi::CallbackInfo &info);
    Napi::Value UpdateMap(const Napi::CallbackInfo &info);
    Napi::Value ReadPerCpuMap(const Napi::CallbackInfo &info);
    Napi::Value ReadSharedMap(const Napi::CallbackInfo &info);
    Napi::Value DrainMap(const Napi::CallbackInfo &info);
    Napi::Value VerifierLog(const Napi::CallbackInfo &info);
    Napi::Value Close(const Napi::CallbackInfo &info);

    Napi::Value Start(Napi::Env env, Operation::Work work, Operation::Deliver deliver);
    Napi::Value StartLoaded(Napi::Env env, const std::string &attempted,
                            std::function<Status(Session &)> work, Operation::Deliver deliver);
    using MapAccess = Status (*)(const MapInfo &, uint32_t most, MapContents &);
    Napi::Value StartReading(const Napi::CallbackInfo &info, const char *method, const char *verb,
                             MapAccess access);
    void OnIdle();
    void TakeSharedMaps(Arguments &arguments, Napi::Value value);
    Status CheckUsable(const std::string &attempted) const;

    LoadOptions options_;
    /*
     * Shared with the operation that runs. Only that operation changes it, except while the queue is idle.
     * Methods that work at once may read it once loaded_ is set: a loaded object is never exchanged.
     */
    std::shared_ptr<Session> session_ = std::make_shared<Session>();
    OperationQueue queue_;
    bool loaded_ = false; /* as the JavaScript thread knows it */
    bool closed_ = false;
    std::shared_ptr<VerifierLogText> verifier_log_ = std::make_shared<VerifierLogText>();
};

} // namespace mapscope

#endif
