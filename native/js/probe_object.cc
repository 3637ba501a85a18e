/* The JavaScript side of a BPF object; see probe_object.h. */
#include "native/js/probe_object.h"

#include <fcntl.h>

#include "native/bpf/map_access.h"
#include "native/js/arguments.h"
#include "native/js/error.h"

namespace mapscope {

namespace {

/* Marks the JavaScript objects of this class. A random number, as Node-API asks for. */
constexpr napi_type_tag kTypeTag = {0x5d1c0ffe3a9b47e2, 0x8f60b1d27c34a915};

/* What a promise for void resolves to. */
Napi::Value Nothing(Napi::Env env) { return env.Undefined(); }

/* JavaScript has the memory from now on: it may be megabytes. */
Napi::Buffer<uint8_t> ToBuffer(Napi::Env env, ReadBuffer &bytes) {
    const size_t size = bytes.size();
    if (size == 0)
        return Napi::Buffer<uint8_t>::New(env, 0);
    return Napi::Buffer<uint8_t>::New(env, bytes.Release(), size,
                                      [](Napi::Env, uint8_t *data) { std::free(data); });
}

AttachMethod ToAttachMethod(Arguments &arguments, const std::string &name) {
    if (name == "perf_event")
        return AttachMethod::kPerfEvent;
    if (name != "uprobe_multi")
        arguments.Fail("options.attachMethod", "'uprobe_multi' or 'perf_event'");
    return AttachMethod::kUprobeMulti;
}

ProbeSites ToSites(Arguments &arguments, const Napi::Object &options) {
    ProbeSites sites;
    sites.path = arguments.Text(options.Get("path"), "options.path");
    sites.pid = arguments.ProcessId(options.Get("pid"), "options.pid");
    sites.offsets = arguments.Words(options.Get("offsets"), "options.offsets");
    sites.cookies = arguments.Words(options.Get("cookies"), "options.cookies");
    if (!options.Get("busy").IsUndefined())
        sites.busy = arguments.Count(options.Get("busy"), "options.busy");
    if (!options.Get("proof").IsUndefined())
        sites.proof = arguments.Word(options.Get("proof"), "options.proof");
    if (sites.offsets.empty() || sites.offsets.size() != sites.cookies.size())
        arguments.Fail("options.cookies", "as many as options.offsets, and at least one");
    return sites;
}

Failure AlreadyAttached(const std::string &attempted) {
    return {attempted + ": the BPF object is attached already, detach it first", "EBUSY"};
}

Napi::Object ToObject(Napi::Env env, MapContents &contents) {
    auto result = Napi::Object::New(env);
    result.Set("keys", ToBuffer(env, contents.keys));
    result.Set("values", ToBuffer(env, contents.values));
    result.Set("count", Napi::Number::New(env, contents.count));
    result.Set("cpus", Napi::Number::New(env, contents.cpus));
    return result;
}

} // namespace

Napi::Function ProbeObject::Define(Napi::Env env) {
    return DefineClass(env, "ProbeObject",
                       {
                           InstanceMethod<&ProbeObject::Load>("load"),
                           InstanceMethod<&ProbeObject::Attach>("attach"),
                           InstanceMethod<&ProbeObject::Window>("window"),
                           InstanceMethod<&ProbeObject::Detach>("detach"),
                           InstanceMethod<&ProbeObject::UpdateMap>("updateMap"),
                           InstanceMethod<&ProbeObject::ReadPerCpuMap>("readPerCpuMap"),
                           InstanceMethod<&ProbeObject::ReadSharedMap>("readSharedMap"),
                           InstanceMethod<&ProbeObject::DrainMap>("drainMap"),
                           InstanceMethod<&ProbeObject::VerifierLog>("verifierLog"),
                           InstanceMethod<&ProbeObject::Close>("close"),
                       });
}

ProbeObject::ProbeObject(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<ProbeObject>(info), queue_(info.Env(), [this] { OnIdle(); }) {
    info.This().As<Napi::Object>().TypeTag(&kTypeTag);
    Arguments arguments("ProbeObject");
    const Napi::Object options = arguments.Options(info[0]);
    options_.path = arguments.Text(options.Get("objectPath"), "options.objectPath");
    options_.attach_method =
        ToAttachMethod(arguments, arguments.Text(options.Get("attachMethod"), "options.attachMethod"));
    options_.sleepable = arguments.Flag(options.Get("sleepable"), "options.sleepable");
    options_.read_only_data = arguments.NamedBytes(options.Get("readOnlyData"), "options.readOnlyData");
    options_.map_sizes = arguments.NamedCounts(options.Get("mapSizes"), "options.mapSizes");
    if (options.Has("sharedMaps"))
        TakeSharedMaps(arguments, options.Get("sharedMaps"));
    if (options.Has("pinnedMaps"))
        options_.pinned_maps = arguments.NamedTexts(options.Get("pinnedMaps"), "options.pinnedMaps");
    if (arguments.failure())
        Throw(info.Env(), *arguments.failure());
}

/* Keeps descriptors of its own, so that the other object may be closed at any time. */
void ProbeObject::TakeSharedMaps(Arguments &arguments, Napi::Value value) {
    for (const auto &[name, object] : arguments.NamedObjects(value, "options.sharedMaps")) {
        const std::string argument = "options.sharedMaps." + name;
        ProbeObject *owner = object.CheckTypeTag(&kTypeTag) ? Unwrap(object) : nullptr;
        if (owner == nullptr || owner->CheckUsable(argument)) {
            arguments.Fail(argument, "a ProbeObject that is loaded");
            continue;
        }
        auto map = owner->session_->object->FindMap(name, argument);
        if (!map) {
            arguments.Fail(argument, "a ProbeObject with a map of that name");
            continue;
        }
        options_.shared_maps[name] = std::make_shared<UniqueFd>(fcntl(map->fd, F_DUPFD_CLOEXEC, 0));
    }
}

/* Runs when JavaScript has lost the object, or at the end of the environment. Nothing is running then, see
 * Start(). */
ProbeObject::~ProbeObject() = default;

/* Queues an operation and keeps the object alive, even if JavaScript drops it, until the queue is idle again.
 */
Napi::Value ProbeObject::Start(Napi::Env env, Operation::Work work, Operation::Deliver deliver) {
    auto operation = std::make_unique<Operation>(env, std::move(work), std::move(deliver));
    const Napi::Promise promise = operation->promise();
    if (!queue_.busy())
        Ref();
    queue_.Add(std::move(operation));
    return promise;
}

/* Queues work on the object that is loaded by then. */
Napi::Value ProbeObject::StartLoaded(Napi::Env env, const std::string &attempted,
                                     std::function<Status(Session &)> work, Operation::Deliver deliver) {
    if (closed_)
        return RejectedPromise(env, {attempted + ": the BPF object is closed", "EBADF"});
    return Start(
        env,
        [session = session_, attempted, work = std::move(work)]() -> Status {
            if (!session->object)
                return Failure{attempted + ": the BPF object is not loaded", "EBADF"};
            return work(*session);
        },
        std::move(deliver));
}

void ProbeObject::OnIdle() {
    if (closed_)
        session_.reset();
    Unref();
}

/* For methods that need a loaded object: fails when there is none. */
Status ProbeObject::CheckUsable(const std::string &attempted) const {
    if (closed_)
        return Failure{attempted + ": the BPF object is closed", "EBADF"};
    if (!loaded_)
        return Failure{attempted + ": the BPF object is not loaded", "EBADF"};
    return {};
}

Napi::Value ProbeObject::Load(const Napi::CallbackInfo &info) {
    const std::string attempted = "cannot load the BPF object " + options_.path;
    if (closed_)
        return RejectedPromise(info.Env(), {attempted + ": it is closed", "EBADF"});
    return Start(
        info.Env(),
        [session = session_, log = verifier_log_, options = options_, attempted]() -> Status {
            if (session->object)
                return Failure{attempted + ": it is loaded already", "EBUSY"};
            std::string text;
            auto object = BpfObject::Load(options, text);
            {
                const std::lock_guard lock(log->mutex);
                log->text = std::move(text);
            }
            if (!object)
                return object.failure();
            session->object = std::move(*object);
            return {};
        },
        [this](Napi::Env env) {
            loaded_ = true;
            return env.Undefined();
        });
}

Napi::Value ProbeObject::Attach(const Napi::CallbackInfo &info) {
    Arguments arguments("attach");
    const Napi::Object options = arguments.Options(info[0]);
    ProbeSites sites = ToSites(arguments, options);
    if (arguments.failure())
        return RejectedPromise(info.Env(), *arguments.failure());
    const std::string attempted = "cannot attach to process " + std::to_string(sites.pid);
    return StartLoaded(
        info.Env(), attempted,
        [sites = std::move(sites), method = options_.attach_method, attempted](Session &session) -> Status {
            if (session.links.attached())
                return AlreadyAttached(attempted);
            return session.links.Attach(*session.object, method, sites);
        },
        Nothing);
}

Napi::Value ProbeObject::Window(const Napi::CallbackInfo &info) {
    Arguments arguments("window");
    const Napi::Object options = arguments.Options(info[0]);
    ProbeSites sites = ToSites(arguments, options);
    const WindowLimits limits = {
        .open_micros = arguments.Count(options.Get("openMicros"), "options.openMicros"),
        .hit_limit = arguments.Count(options.Get("hitLimit"), "options.hitLimit"),
    };
    if (arguments.failure())
        return RejectedPromise(info.Env(), *arguments.failure());
    const std::string attempted = "cannot open a window of process " + std::to_string(sites.pid);
    auto result = std::make_shared<WindowResult>();
    return StartLoaded(
        info.Env(), attempted,
        [sites = std::move(sites), method = options_.attach_method, limits, result,
         attempted](Session &session) -> Status {
            if (session.links.attached())
                return AlreadyAttached(attempted);
            if (!session.gate) {
                auto gate = WindowGate::Find(*session.object);
                if (!gate)
                    return gate.failure();
                session.gate = std::move(*gate);
            }
            return session.gate->Run(session.links, *session.object, method, sites, limits, *result);
        },
        [result](Napi::Env env) {
            auto object = Napi::Object::New(env);
            object.Set("opened", Napi::Number::New(env, static_cast<double>(result->opened) * 1e-9));
            object.Set("closed", Napi::Number::New(env, static_cast<double>(result->closed) * 1e-9));
            object.Set("cpuSeconds", Napi::Number::New(env, result->cpu_seconds));
            object.Set("full", Napi::Boolean::New(env, result->full));
            object.Set("lockedSeconds", result->locked_seconds
                                            ? Napi::Value(Napi::Number::New(env, *result->locked_seconds))
                                            : env.Null());
            object.Set("cpuStates", ToObject(env, result->cpu_states));
            return object;
        });
}

Napi::Value ProbeObject::Detach(const Napi::CallbackInfo &info) {
    auto work = [session = session_]() -> Status {
        if (session) /* nothing is attached any more when it is closed */
            session->links.End();
        return {};
    };
    return Start(info.Env(), std::move(work), Nothing);
}

Napi::Value ProbeObject::UpdateMap(const Napi::CallbackInfo &info) {
    Arguments arguments("updateMap");
    const std::string name = arguments.Text(info[0], "name");
    const auto keys = arguments.Bytes(info[1], "keys");
    const auto values = arguments.Bytes(info[2], "values");
    const uint32_t count = arguments.Count(info[3], "count");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    const std::string attempted = "cannot update the BPF map '" + name + "'";
    if (Status failure = CheckUsable(attempted))
        return Throw(info.Env(), *failure);
    auto map = session_->object->FindMap(name, attempted);
    if (!map)
        return Throw(info.Env(), map.failure());
    if (Status failure = mapscope::UpdateMap(*map, keys, values, count))
        return Throw(info.Env(), *failure);
    return info.Env().Undefined();
}

/* Queues an operation that takes a map's contents. */
Napi::Value ProbeObject::StartReading(const Napi::CallbackInfo &info, const char *method, const char *verb,
                                      MapAccess access) {
    Arguments arguments(method);
    const std::string name = arguments.Text(info[0], "name");
    const uint32_t most = info[1].IsUndefined() ? kAllElements : arguments.Count(info[1], "most");
    if (arguments.failure())
        return RejectedPromise(info.Env(), *arguments.failure());
    const std::string attempted = std::string("cannot ") + verb + " the BPF map '" + name + "'";
    auto contents = std::make_shared<MapContents>();
    return StartLoaded(
        info.Env(), attempted,
        [contents, name, attempted, access, most](Session &session) -> Status {
            auto map = session.object->FindMap(name, attempted);
            if (!map)
                return map.failure();
            return access(*map, most, *contents);
        },
        [contents](Napi::Env env) { return ToObject(env, *contents); });
}

Napi::Value ProbeObject::ReadPerCpuMap(const Napi::CallbackInfo &info) {
    return StartReading(info, "readPerCpuMap", "read", mapscope::ReadPerCpuMap);
}

Napi::Value ProbeObject::ReadSharedMap(const Napi::CallbackInfo &info) {
    return StartReading(info, "readSharedMap", "read", mapscope::ReadSharedMap);
}

Napi::Value ProbeObject::DrainMap(const Napi::CallbackInfo &info) {
    return StartReading(info, "drainMap", "drain", mapscope::DrainMap);
}

Napi::Value ProbeObject::VerifierLog(const Napi::CallbackInfo &info) {
    const std::lock_guard lock(verifier_log_->mutex);
    return Napi::String::New(info.Env(), verifier_log_->text);
}

Napi::Value ProbeObject::Close(const Napi::CallbackInfo &info) {
    closed_ = true;
    queue_.RefuseWaiting({"the BPF object was closed before its turn came", "ECANCELED"});
    if (!queue_.busy())
        session_.reset(); /* otherwise OnIdle() does it */
    return info.Env().Undefined();
}

} // namespace mapscope
