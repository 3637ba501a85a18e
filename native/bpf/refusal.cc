/* Finds the line that explains a failed load; see refusal.h. */
#include "native/bpf/refusal.h"

#include <cerrno>
#include <string_view>

namespace mapscope {

namespace {

/* Lines that end every verifier log, whatever went wrong. */
bool IsStatistics(std::string_view line) {
    return line.starts_with("processed ") || line.starts_with("verification time ") ||
           line.starts_with("stack depth ");
}

/* The verifier logs each step it takes and then why it stopped: the reason is the last line but for
 * statistics. */
std::string VerifierReason(std::string_view log) {
    while (!log.empty()) {
        const size_t line_start = log.rfind('\n', log.size() - 1) + 1; /* npos + 1 is 0 */
        const std::string_view line = log.substr(line_start);
        if (!line.empty() && !IsStatistics(line))
            return std::string(line);
        log = log.substr(0, line_start == 0 ? 0 : line_start - 1);
    }
    return {};
}

/* What usually stands between a process and bpf(): the sentence after "Operation not permitted". */
constexpr char kPermissionAdvice[] = " (BPF probes need root, or CAP_BPF and CAP_PERFMON, and a container's "
                                     "seccomp profile that allows bpf())";

} // namespace

std::string ExplainBpfRefusal(int error_number) {
    if (error_number == ENOSYS)
        return "this kernel has no bpf() system call: it was built without CONFIG_BPF_SYSCALL";
    const std::string sentence = SystemFailure("this process cannot use BPF", error_number).sentence;
    return error_number == EPERM || error_number == EACCES ? sentence + kPermissionAdvice : sentence;
}

Failure ExplainLoadRefusal(const std::string &path, const std::string &program, int error_number,
                           const std::string &verifier_log, const std::string &libbpf_warning) {
    const std::string reason = VerifierReason(verifier_log);
    if (!reason.empty()) {
        /* ENOSPC replaces the real error when the log did not fit; the log's end is what the kernel keeps. */
        const std::string meaning =
            error_number == ENOSPC ? "its log did not fit the buffer for it" : DescribeError(error_number);
        return {"the kernel's verifier refused the BPF program '" + program + "' of " + path + ": " + reason +
                    " (" + meaning + ")",
                ErrorCode(error_number)};
    }
    const std::string attempted = "cannot load the BPF object " + path;
    Failure failure = SystemFailure(attempted, error_number);
    if (error_number == EPERM)
        failure.sentence += kPermissionAdvice;
    else if (!libbpf_warning.empty()) /* it names what failed, a map for instance, and the errno */
        failure.sentence = attempted + ": " + libbpf_warning;
    return failure;
}

} // namespace mapscope
