/*
 * Sets the `const volatile` globals of a BPF object between open and load.
 *
 * They are the program's configuration: read-only in the kernel, so that the verifier sees their values and
 * drops the code that they rule out.
 */
#ifndef MAPSCOPE_NATIVE_BPF_READ_ONLY_DATA_H
#define MAPSCOPE_NATIVE_BPF_READ_ONLY_DATA_H

#include <cstdint>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "native/base/failure.h"

namespace mapscope {

/** `path` names the object in the failure's sentence. */
Status SetReadOnlyData(struct bpf_object *object, const std::string &path, const std::string &name,
                       const std::vector<uint8_t> &bytes);

} // namespace mapscope

#endif
