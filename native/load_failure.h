/* Why the kernel has refused a BPF object, in one sentence. */
#ifndef MAPSCOPE_NATIVE_LOAD_FAILURE_H
#define MAPSCOPE_NATIVE_LOAD_FAILURE_H

#include <string>

#include "failure.h"

namespace mapscope {

Failure ExplainLoadFailure(const std::string &path, const std::string &program, int error_number,
                           const std::string &verifier_log, const std::string &libbpf_warning);

/** What usually stands between a process and bpf(): the sentence after "Operation not permitted". */
std::string BpfPermissionAdvice();

} // namespace mapscope

#endif
