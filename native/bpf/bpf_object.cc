/* Opens, configures and loads a BPF object; see bpf_object.h. */
#include "native/bpf/bpf_object.h"

#include <cerrno>
#include <fcntl.h>

#include <bpf/bpf.h>

#include "native/bpf/libbpf_log.h"
#include "native/bpf/read_only_data.h"
#include "native/bpf/record_layout.h"
#include "native/bpf/refusal.h"
#include "native/bpf/uprobe_multi.h"

namespace mapscope {

namespace {

constexpr size_t kVerifierLogBytes = 16 * 1024 * 1024;

bool IsForProbes(const struct bpf_program *program) {
    return std::string(bpf_program__section_name(program)) == "uprobe";
}

} // namespace

Result<std::unique_ptr<BpfObject>> BpfObject::Load(const LoadOptions &options, std::string &verifier_log) {
    std::unique_ptr<BpfObject> object(new BpfObject());
    if (Status failure = object->Open(options))
        return *failure;
    if (Status failure = object->Configure(options))
        return *failure;
    if (Status failure = object->LoadIntoKernel(options, verifier_log))
        return *failure;
    if (Status failure = object->KeepDescriptors(options))
        return *failure;
    return object;
}

/*
 * What is loaded lives as long as somebody has a descriptor of it. libbpf's object holds half a megabyte
 * besides: the instructions, their lines and types.
 */
Status BpfObject::KeepDescriptors(const LoadOptions &options) {
    const auto failed = [&] {
        return SystemFailure("cannot keep what was loaded of " + options.path, errno);
    };
    const auto keep = [](int fd) { return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 0)); };
    program_fd_ = keep(bpf_program__fd(program_));
    if (!program_fd_)
        return failed();
    struct bpf_map *map = nullptr;
    while ((map = bpf_object__next_map(object_.get(), map)) != nullptr) {
        UniqueFd fd = keep(bpf_map__fd(map));
        if (!fd)
            return failed();
        MapInfo info{bpf_map__name(map),       fd.get(),
                     bpf_map__type(map),       bpf_map__key_size(map),
                     bpf_map__value_size(map), bpf_map__max_entries(map)};
        maps_.emplace(info.name, Map{info, std::move(fd)});
    }
    if (options.attach_method == AttachMethod::kUprobeMulti) {
        program_ = nullptr;
        object_.reset();
    }
    return {};
}

Status BpfObject::Open(const LoadOptions &options) {
    LibbpfLog log;
    object_.reset(bpf_object__open_file(options.path.c_str(), nullptr));
    if (!object_) {
        const int error = errno;
        const std::string attempted = "cannot open the BPF object " + options.path;
        /* libbpf's warning tells what is wrong with a file; for one that cannot be read, the errno says it
         * better. */
        if (error < __LIBBPF_ERRNO__START || log.FirstWarning().empty())
            return SystemFailure(attempted, error);
        return Failure{attempted + ": " + log.FirstWarning(), ErrorCode(error)};
    }
    if (Status failure = CheckRecords(bpf_object__btf(object_.get()), options.path))
        return failure;
    do
        program_ = bpf_object__next_program(object_.get(), program_);
    while (program_ != nullptr && !IsForProbes(program_));
    if (program_ == nullptr)
        return Failure{"the BPF object " + options.path + " contains no program", "ENOEXEC"};
    return {};
}

/* Programs elsewhere (the tracepoint of execve()) run for as long as the object is loaded. */
Status BpfObject::AttachOthers(const LoadOptions &options) {
    struct bpf_program *program = nullptr;
    while ((program = bpf_object__next_program(object_.get(), program)) != nullptr) {
        if (program == program_)
            continue;
        struct bpf_link *link = bpf_program__attach(program);
        if (link == nullptr)
            return SystemFailure("cannot attach the BPF program " + std::string(bpf_program__name(program)) +
                                     " of " + options.path,
                                 errno);
        links_.emplace_back(link);
    }
    return {};
}

Status BpfObject::Configure(const LoadOptions &options) {
    for (const auto &[name, bytes] : options.read_only_data)
        if (Status failure = SetReadOnlyData(object_.get(), options.path, name, bytes))
            return failure;

    for (const auto &[name, max_entries] : options.map_sizes) {
        struct bpf_map *map = bpf_object__find_map_by_name(object_.get(), name.c_str());
        if (map == nullptr)
            return Failure{"cannot set the size of map '" + name + "': " + options.path + " has no such map",
                           "ENOENT"};
        if (const int result = bpf_map__set_max_entries(map, max_entries))
            return SystemFailure("cannot set the size of map '" + name + "'", -result);
    }

    if (Status failure = UseExistingMaps(options))
        return failure;

    int result = 0;
    if (options.sleepable)
        result = bpf_program__set_flags(program_, bpf_program__flags(program_) | BPF_F_SLEEPABLE);
    /*
     * The kernel fixes at load time how a uprobe program may be attached: one loaded for uprobe_multi cannot
     * be attached to a perf event, nor the other way round.
     */
    if (result == 0 && options.attach_method == AttachMethod::kUprobeMulti)
        result = bpf_program__set_expected_attach_type(program_, kTraceUprobeMulti);
    if (result)
        return SystemFailure("cannot prepare the BPF program of " + options.path, -result);
    return {};
}

Status BpfObject::UseExistingMaps(const LoadOptions &options) {
    for (const auto &[name, fd] : options.shared_maps)
        if (Status failure = UseMap(name, fd->get()))
            return failure;
    for (const auto &[name, path] : options.pinned_maps) {
        const UniqueFd fd(bpf_obj_get(path.c_str()));
        if (!fd)
            return SystemFailure("cannot open the pinned BPF map " + path, errno);
        if (Status failure = UseMap(name, fd.get()))
            return failure;
    }
    return {};
}

/* The kernel's map must be of the shape that the program was compiled for; its size may be another one. */
Status BpfObject::UseMap(const std::string &name, int fd) {
    const std::string attempted = "cannot share the BPF map '" + name + "'";
    struct bpf_map *map = bpf_object__find_map_by_name(object_.get(), name.c_str());
    if (map == nullptr)
        return Failure{attempted + ": the BPF object has no such map", "ENOENT"};
    struct bpf_map_info info = {};
    uint32_t size = sizeof(info);
    if (const int result = bpf_obj_get_info_by_fd(fd, &info, &size))
        return SystemFailure(attempted, -result);
    if (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
        info.value_size != bpf_map__value_size(map))
        return Failure{attempted + ": the existing map is of another type, or has other keys or values",
                       "EINVAL"};
    if (const int result = bpf_map__reuse_fd(map, fd))
        return SystemFailure(attempted, -result);
    return {};
}

Status BpfObject::LoadIntoKernel(const LoadOptions &options, std::string &verifier_log) {
    /*
     * libbpf loads without a log first and, when the kernel refuses, once more into this buffer. It is left
     * uninitialized, so that the usual, good load touches none of its pages; only the terminator must be
     * there, for failures that never reach the verifier.
     */
    std::unique_ptr<char[]> buffer(new char[kVerifierLogBytes]);
    buffer[0] = '\0';
    bpf_program__set_log_buf(program_, buffer.get(), kVerifierLogBytes);

    LibbpfLog log;
    const int result = bpf_object__load(object_.get());
    if (result == 0)
        return AttachOthers(options);
    verifier_log = buffer.get();
    return ExplainLoadRefusal(options.path, bpf_program__name(program_), -result, verifier_log,
                              log.FirstWarning());
}

Result<MapInfo> BpfObject::FindMap(const std::string &name, const std::string &attempted) const {
    const auto found = maps_.find(name);
    if (found == maps_.end())
        return Failure{attempted + ": the BPF object has no such map", "ENOENT"};
    return found->second.info;
}

} // namespace mapscope
