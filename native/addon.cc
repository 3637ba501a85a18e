/*
 * Entry of the addon: the object that src/kernel/addon.ts describes.
 *
 * The addon knows the kernel and nothing of Go. What it exports is documented there.
 */
#include <malloc.h>
#include <napi.h>

#include "arguments.h"
#include "calibration.h"
#include "clock.h"
#include "end_watch.h"
#include "errors.h"
#include "features.h"
#include "libbpf_log.h"
#include "probe_object.h"
#include "process.h"
#include "record_layout.h"
#include "run_statistics.h"
#include "wait_exit.h"

namespace mapscope {

namespace {

Napi::Value FeaturesOfKernel(const Napi::CallbackInfo &info) {
    const Features features = ProbeFeatures();
    auto result = Napi::Object::New(info.Env());
    result.Set("uprobeMulti", Napi::Boolean::New(info.Env(), features.uprobe_multi));
    result.Set("sleepableUprobes", Napi::Boolean::New(info.Env(), features.sleepable_uprobes));
    result.Set("realTime", Napi::Boolean::New(info.Env(), features.real_time));
    result.Set("bpf", Napi::Boolean::New(info.Env(), features.bpf));
    result.Set("bpfError", Napi::String::New(info.Env(), features.bpf_error));
    return result;
}

Napi::Value SpawnStoppedProgram(const Napi::CallbackInfo &info) {
    Arguments arguments("spawnStopped");
    const Napi::Object options = arguments.Options(info[0]);
    Program program;
    program.file = arguments.Text(options.Get("file"), "options.file");
    program.arguments = arguments.Texts(options.Get("args"), "options.args");
    program.environment = arguments.Texts(options.Get("env"), "options.env");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    auto pid = SpawnStopped(program);
    if (!pid)
        return Throw(info.Env(), pid.failure());
    return Napi::Number::New(info.Env(), *pid);
}

Napi::Value ResumeProcess(const Napi::CallbackInfo &info) {
    Arguments arguments("resume");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    if (Status failure = Resume(pid))
        return Throw(info.Env(), *failure);
    return info.Env().Undefined();
}

Napi::Value WaitForExit(const Napi::CallbackInfo &info) {
    Arguments arguments("waitExit");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    if (arguments.failure())
        return RejectedPromise(info.Env(), *arguments.failure());
    return WaitExit(info.Env(), pid);
}

Napi::Value WatchEndOfProcess(const Napi::CallbackInfo &info) {
    Arguments arguments("watchEnd");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    const Napi::Function ended = arguments.Function(info[1], "ended");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    return WatchEnd(info.Env(), pid, ended);
}

Napi::Value ReadTargetMemory(const Napi::CallbackInfo &info) {
    Arguments arguments("readMemory");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    const uint64_t address = arguments.Word(info[1], "address");
    const uint32_t length = arguments.Count(info[2], "length");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    auto memory = Napi::Buffer<uint8_t>::New(info.Env(), length);
    if (info.Env().IsExceptionPending()) /* there is no buffer of that length */
        return info.Env().Undefined();
    if (Status failure = ReadMemory(pid, address, memory.Data(), length))
        return Throw(info.Env(), *failure);
    return memory;
}

Napi::Value CpuSecondsOf(const Napi::CallbackInfo &info) {
    Arguments arguments("cpuSeconds");
    const pid_t pid = arguments.ProcessId(info[0], "pid");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    auto seconds = CpuSeconds(pid);
    if (!seconds)
        return Throw(info.Env(), seconds.failure());
    return Napi::Number::New(info.Env(), *seconds);
}

Napi::Value CalibrationSiteOfAddon(const Napi::CallbackInfo &info) {
    auto site = FindCalibrationSite();
    if (!site)
        return Throw(info.Env(), site.failure());
    auto result = Napi::Object::New(info.Env());
    result.Set("path", Napi::String::New(info.Env(), site->path));
    result.Set("offset", Napi::BigInt::New(info.Env(), site->offset));
    return result;
}

Napi::Value RunCalibrationLoop(const Napi::CallbackInfo &info) {
    Arguments arguments("runCalibration");
    const uint32_t passes = arguments.Count(info[0], "passes");
    const uint32_t rounds = arguments.Count(info[1], "rounds");
    if (arguments.failure())
        return RejectedPromise(info.Env(), *arguments.failure());
    return RunCalibration(info.Env(), passes, rounds);
}

Napi::Value OffsetOfClocks(const Napi::CallbackInfo &info) {
    return Napi::BigInt::New(info.Env(), MonotonicToEpoch());
}

Napi::Value EnableRunStatistics(const Napi::CallbackInfo &info) {
    return info.Env().GetInstanceData<RunStatistics>()->Enable(info.Env());
}

/*
 * glibc keeps what is freed, in an arena per thread, and takes ever larger blocks from there: a process
 * remains as large as it once was. From now on large blocks are mapped by themselves, and what is free now
 * goes back.
 */
Napi::Value KeepMemorySmall(const Napi::CallbackInfo &info) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* the default, but it no longer adapts */
    mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    malloc_trim(0);
#endif
    return info.Env().Undefined();
}

/* Runs once per environment: the main thread's and each worker's. */
Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
    LibbpfLog::Install();
    env.SetInstanceData(new RunStatistics());
    exports.Set("records", PublishRecords(env));
    exports.Set("ProbeObject", ProbeObject::Define(env));
    exports.Set("features", Napi::Function::New<FeaturesOfKernel>(env, "features"));
    exports.Set("spawnStopped", Napi::Function::New<SpawnStoppedProgram>(env, "spawnStopped"));
    exports.Set("resume", Napi::Function::New<ResumeProcess>(env, "resume"));
    exports.Set("waitExit", Napi::Function::New<WaitForExit>(env, "waitExit"));
    exports.Set("watchEnd", Napi::Function::New<WatchEndOfProcess>(env, "watchEnd"));
    exports.Set("readMemory", Napi::Function::New<ReadTargetMemory>(env, "readMemory"));
    exports.Set("keepMemorySmall", Napi::Function::New<KeepMemorySmall>(env, "keepMemorySmall"));
    exports.Set("cpuSeconds", Napi::Function::New<CpuSecondsOf>(env, "cpuSeconds"));
    exports.Set("calibrationSite", Napi::Function::New<CalibrationSiteOfAddon>(env, "calibrationSite"));
    exports.Set("runCalibration", Napi::Function::New<RunCalibrationLoop>(env, "runCalibration"));
    exports.Set("monotonicToEpoch", Napi::Function::New<OffsetOfClocks>(env, "monotonicToEpoch"));
    exports.Set("enableRunStatistics", Napi::Function::New<EnableRunStatistics>(env, "enableRunStatistics"));
    return exports;
}

} // namespace

} // namespace mapscope

static Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
    return mapscope::Initialize(env, exports);
}

NODE_API_MODULE(mapscope, InitializeAddon)
