/*
 * Entry of the addon: the object that src/kernel/addon.ts describes.
 *
 * The addon knows the kernel and nothing of Go. What it exports is documented there.
 */
#include <map>
#include <memory>
#include <mutex>

#include <bpf/libbpf.h>
#include <napi.h>

#include "native/base/clock.h"
#include "native/base/memory_file.h"
#include "native/bpf/libbpf_log.h"
#include "native/js/arguments.h"
#include "native/js/watch/end_watch.h"
#include "native/js/error.h"
#include "native/js/watch/exec_watch.h"
#include "native/js/follower_object.h"
#include "native/js/operation.h"
#include "native/js/probe_object.h"
#include "native/js/records.h"
#include "native/js/wait_exit.h"
#include "native/probes/calibration.h"
#include "native/probes/features.h"
#include "native/probes/window.h"
#include "native/process/cpu_time.h"
#include "native/self/limits.h"
#include "native/self/memory.h"
#include "native/process/sent_signals.h"
#include "native/process/spawn.h"
#include "native/process/target_memory.h"

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
    Napi::Array missing = Napi::Array::New(info.Env(), features.missing_helpers.size());
    for (uint32_t i = 0; i < features.missing_helpers.size(); i++)
        missing.Set(i, Napi::String::New(info.Env(), features.missing_helpers[i]));
    result.Set("missingHelpers", missing);
    return result;
}

Napi::Value ReadRecordsOfObject(const Napi::CallbackInfo &info) {
    Arguments arguments("readRecords");
    const std::string path = arguments.Text(info[0], "path");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    auto records = ReadRecords(path);
    if (!records)
        return Throw(info.Env(), records.failure());
    if (Status failure = CheckWindowRecords(*records, path))
        return Throw(info.Env(), *failure);
    UseRecords(*records);
    return ToObject(info.Env(), *records);
}

/* Kept for good: whoever gets the path may open it at any time. One file per name, whichever environment
 * asks. */
Napi::Value PathInMemory(const Napi::CallbackInfo &info) {
    static std::mutex mutex;
    static std::map<std::string, UniqueFd> files;
    Arguments arguments("memoryFile");
    const std::string name = arguments.Text(info[0], "name");
    const std::span<const uint8_t> content = arguments.Bytes(info[1], "content");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    const std::lock_guard lock(mutex);
    auto known = files.find(name);
    if (known == files.end()) {
        auto made = MakeMemoryFile(name, content, Executable::kNo);
        if (!made)
            return Throw(info.Env(), made.failure());
        known = files.emplace(name, std::move(*made)).first;
    }
    return Napi::String::New(info.Env(), PathOfDescriptor(known->second));
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

Napi::Value CountSentSignalsOfKind(const Napi::CallbackInfo &info) {
    Arguments arguments("countSentSignals");
    const uint32_t signal = arguments.Count(info[0], "signal");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    if (Status failure = CountSentSignals(static_cast<int>(signal)))
        return Throw(info.Env(), *failure);
    return info.Env().Undefined();
}

Napi::Value TakeSentSignalsOfKind(const Napi::CallbackInfo &info) {
    Arguments arguments("takeSentSignals");
    const uint32_t signal = arguments.Count(info[0], "signal");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    return Napi::Number::New(info.Env(), TakeSentSignals(static_cast<int>(signal)));
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

Napi::Value WatchExecsOfMachine(const Napi::CallbackInfo &info) {
    Arguments arguments("watchExecs");
    const std::string path = arguments.Text(info[0], "path");
    const Napi::Object options = arguments.Options(info[1]);
    const PidNamespace own = {.device = arguments.Word(options.Get("device"), "options.device"),
                              .inode = arguments.Word(options.Get("inode"), "options.inode"),
                              .is_initial = arguments.Flag(options.Get("isInitial"), "options.isInitial")};
    const Napi::Function executed = arguments.Function(info[2], "executed");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    return WatchExecs(info.Env(), path, own, executed);
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

Napi::Value LimitOwnProcess(const Napi::CallbackInfo &info) {
    Arguments arguments("limitThisProcess");
    const uint32_t seconds = arguments.Count(info[0], "cpuSeconds");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    if (Status failure = LimitThisProcess(seconds))
        return Throw(info.Env(), *failure);
    return info.Env().Undefined();
}

Napi::Value EndOwnProcessWithin(const Napi::CallbackInfo &info) {
    Arguments arguments("endWithin");
    const uint32_t millis = arguments.Count(info[0], "millis");
    const uint32_t status = arguments.Count(info[1], "status");
    if (arguments.failure())
        return Throw(info.Env(), *arguments.failure());
    if (Status failure = EndWithin(millis, static_cast<int>(status)))
        return Throw(info.Env(), *failure);
    return info.Env().Undefined();
}

Napi::Value PossibleCpusOfKernel(const Napi::CallbackInfo &info) {
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0)
        return Throw(
            info.Env(),
            SystemFailure("the list of processors, /sys/devices/system/cpu/possible, cannot be read", -cpus));
    return Napi::Number::New(info.Env(), cpus);
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
    auto median = std::make_shared<double>(0);
    auto *operation = new Operation(
        info.Env(),
        [median, passes, rounds]() -> Status {
            *median = MedianSecondsPerPass(passes, rounds);
            return {};
        },
        [median](Napi::Env env) { return Napi::Number::New(env, *median); });
    const Napi::Promise promise = operation->promise();
    operation->Queue(); /* deletes itself when it has ended */
    return promise;
}

Napi::Value BootTime(const Napi::CallbackInfo &info) { return Napi::BigInt::New(info.Env(), BootNow()); }

Napi::Value OffsetOfClocks(const Napi::CallbackInfo &info) {
    return Napi::BigInt::New(info.Env(), BootToEpoch());
}

Napi::Value KeepMemorySmall(const Napi::CallbackInfo &info) {
    GiveBackFreeMemory();
    GiveBackProgramText();
    return info.Env().Undefined();
}

/* Runs once per environment: the main thread's and each worker's. */
Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
    LibbpfLog::Install();
    exports.Set("ProbeObject", ProbeObject::Define(env));
    exports.Set("ProgramFollower", FollowerObject::Define(env));
    exports.Set("readRecords", Napi::Function::New<ReadRecordsOfObject>(env, "readRecords"));
    exports.Set("memoryFile", Napi::Function::New<PathInMemory>(env, "memoryFile"));
    exports.Set("features", Napi::Function::New<FeaturesOfKernel>(env, "features"));
    exports.Set("spawnStopped", Napi::Function::New<SpawnStoppedProgram>(env, "spawnStopped"));
    exports.Set("resume", Napi::Function::New<ResumeProcess>(env, "resume"));
    exports.Set("waitExit", Napi::Function::New<WaitForExit>(env, "waitExit"));
    exports.Set("watchEnd", Napi::Function::New<WatchEndOfProcess>(env, "watchEnd"));
    exports.Set("watchExecs", Napi::Function::New<WatchExecsOfMachine>(env, "watchExecs"));
    exports.Set("countSentSignals", Napi::Function::New<CountSentSignalsOfKind>(env, "countSentSignals"));
    exports.Set("takeSentSignals", Napi::Function::New<TakeSentSignalsOfKind>(env, "takeSentSignals"));
    exports.Set("readMemory", Napi::Function::New<ReadTargetMemory>(env, "readMemory"));
    exports.Set("keepMemorySmall", Napi::Function::New<KeepMemorySmall>(env, "keepMemorySmall"));
    exports.Set("cpuSeconds", Napi::Function::New<CpuSecondsOf>(env, "cpuSeconds"));
    exports.Set("limitThisProcess", Napi::Function::New<LimitOwnProcess>(env, "limitThisProcess"));
    exports.Set("endWithin", Napi::Function::New<EndOwnProcessWithin>(env, "endWithin"));
    exports.Set("possibleCpus", Napi::Function::New<PossibleCpusOfKernel>(env, "possibleCpus"));
    exports.Set("calibrationSite", Napi::Function::New<CalibrationSiteOfAddon>(env, "calibrationSite"));
    exports.Set("runCalibration", Napi::Function::New<RunCalibrationLoop>(env, "runCalibration"));
    exports.Set("bootNow", Napi::Function::New<BootTime>(env, "bootNow"));
    exports.Set("bootToEpoch", Napi::Function::New<OffsetOfClocks>(env, "bootToEpoch"));
    return exports;
}

} // namespace

} // namespace mapscope

static Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
    return mapscope::Initialize(env, exports);
}

NODE_API_MODULE(mapscope, InitializeAddon)
