/*
 * Feature probes.
 *
 * Kernel versions say little: distributions backport, and rights and seccomp filters count as much. So each
 * feature is tried with the smallest program there is.
 */
#include "native/probes/features.h"

#include <cerrno>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "native/base/unique_fd.h"
#include "native/bpf/refusal.h"
#include "native/bpf/uprobe_multi.h"
#include "native/probes/thread_priority.h"

namespace mapscope {

namespace {

constexpr auto kNoAttachType = static_cast<enum bpf_attach_type>(0);

/* Loads `return 0`; empty, and errno says why, when refused. */
UniqueFd LoadTrivialProgram(enum bpf_attach_type attach_type, uint32_t flags) {
    struct bpf_insn instructions[2] = {};
    instructions[0].code = BPF_ALU64 | BPF_MOV | BPF_K; /* r0 = 0 */
    instructions[1].code = BPF_JMP | BPF_EXIT;
    struct bpf_prog_load_opts options = {};
    options.sz = sizeof(options);
    options.expected_attach_type = attach_type;
    options.prog_flags = flags;
    return UniqueFd(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "mapscope_try", "GPL", instructions, 2, &options));
}

/* The errno of an attempt to attach to a directory, which never succeeds. */
int TryUprobeMultiLink(const UniqueFd &program, int32_t pid) {
    const uint64_t offset = 0;
    UprobeMultiLinkAttributes attributes = {};
    attributes.program_fd = program.get();
    attributes.attach_type = kTraceUprobeMulti;
    attributes.path = reinterpret_cast<uintptr_t>("/");
    attributes.offsets = reinterpret_cast<uintptr_t>(&offset);
    attributes.count = 1;
    attributes.pid = pid;
    const UniqueFd link(CreateUprobeMultiLink(attributes));
    return link ? 0 : errno;
}

bool HasUprobeMulti() {
    /* Kernels before 6.6 may load the program, since they do not look at this attach type: only the link
     * tells. */
    const UniqueFd program = LoadTrivialProgram(kTraceUprobeMulti, 0);
    if (!program || TryUprobeMultiLink(program, 0) != EBADF)
        return false;
    /*
     * The first kernels with uprobe_multi filtered by thread, not by process, and would miss most of a Go
     * program. Those with the mend reject a negative pid before they look at the path.
     */
    return TryUprobeMultiLink(program, -1) == EINVAL;
}

struct Helper {
    enum bpf_func_id id;
    const char *name;
};

/* Those that came last, of all that the programs call. */
constexpr Helper kNeededHelpers[] = {
    {BPF_FUNC_ringbuf_output, "bpf_ringbuf_output()"},
    {BPF_FUNC_get_attach_cookie, "bpf_get_attach_cookie()"},
    {BPF_FUNC_loop, "bpf_loop()"},
};

std::vector<std::string> MissingHelpers() {
    std::vector<std::string> missing;
    for (const Helper &helper : kNeededHelpers)
        if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, helper.id, nullptr) == 0)
            missing.emplace_back(helper.name);
    return missing;
}

} // namespace

Features ProbeFeatures() {
    Features features;
    features.real_time = ThreadPriority().is_real_time();
    const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "mapscope_try", 4, 8, 1, nullptr));
    if (!map) {
        features.bpf_error = ExplainBpfRefusal(errno);
        return features;
    }
    /* Some systems let anyone create maps, but nobody else load a program that reads memory. */
    if (!LoadTrivialProgram(kNoAttachType, 0)) {
        features.bpf_error = ExplainBpfRefusal(errno);
        return features;
    }
    features.bpf = true;
    features.missing_helpers = MissingHelpers();
    features.uprobe_multi = HasUprobeMulti();
    features.sleepable_uprobes = static_cast<bool>(LoadTrivialProgram(kNoAttachType, BPF_F_SLEEPABLE));
    return features;
}

} // namespace mapscope
