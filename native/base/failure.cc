/* Error numbers in words; see failure.h. */
#include "native/base/failure.h"

#include <cstdio>
#include <cstring>

#include <bpf/libbpf.h>

namespace mapscope {

std::string DescribeError(int error_number) {
    if (error_number == kNotSupportedByKernel)
        return "Operation not supported by this kernel";
    if (error_number >= __LIBBPF_ERRNO__START) {
        char text[128];
        libbpf_strerror(error_number, text, sizeof(text));
        return text;
    }
    const char *description = strerrordesc_np(error_number);
    return description ? description : "error " + std::to_string(error_number);
}

std::string ErrorCode(int error_number) {
    if (error_number == kNotSupportedByKernel)
        return "ENOTSUPP";
    /* libbpf has numbers of its own, nearly all for files that are not what they should be. */
    if (error_number >= __LIBBPF_ERRNO__START)
        return "ENOEXEC";
    const char *name = strerrorname_np(error_number);
    return name ? name : std::to_string(error_number);
}

Failure SystemFailure(const std::string &attempted, int error_number) {
    return {attempted + ": " + DescribeError(error_number), ErrorCode(error_number)};
}

std::string Hex(unsigned long long number) {
    char text[24];
    snprintf(text, sizeof(text), "0x%llx", number);
    return text;
}

} // namespace mapscope
