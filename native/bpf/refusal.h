/* Why the kernel refuses BPF, in one sentence. */
#ifndef MAPSCOPE_NATIVE_BPF_REFUSAL_H
#define MAPSCOPE_NATIVE_BPF_REFUSAL_H

#include <string>

#include "native/base/failure.h"

namespace mapscope {

/** A BPF object that could not be loaded. */
Failure ExplainLoadRefusal(const std::string &path, const std::string &program, int error_number,
                           const std::string &verifier_log, const std::string &libbpf_warning);

/** Any BPF at all. */
std::string ExplainBpfRefusal(int error_number);

} // namespace mapscope

#endif
