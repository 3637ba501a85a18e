/* Routes libbpf's messages to the thread that caused them; see libbpf_log.h. */
#include "native/bpf/libbpf_log.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <string_view>

#include <bpf/libbpf.h>

namespace mapscope {

namespace {

thread_local LibbpfLog *current_log = nullptr;

__attribute__((format(printf, 2, 0))) int Collect(enum libbpf_print_level level, const char *format,
                                                  va_list arguments) {
    if (level != LIBBPF_WARN || current_log == nullptr)
        return 0;
    char message[1024]; /* a longer one is cut off: it quotes a log that is kept elsewhere */
    vsnprintf(message, sizeof(message), format, arguments);
    current_log->Append(message);
    return 0;
}

} // namespace

LibbpfLog::LibbpfLog() : outer_(current_log) { current_log = this; }

LibbpfLog::~LibbpfLog() { current_log = outer_; }

std::string LibbpfLog::FirstWarning() const {
    constexpr std::string_view prefix = "libbpf: ";
    size_t start = 0;
    while (start < text_.size()) {
        const size_t end = std::min(text_.find('\n', start), text_.size());
        const std::string line = text_.substr(start, end - start);
        /* libbpf tries a map once more without its types, and warns of that too. */
        if (line.find("Retrying") == std::string::npos)
            return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
        start = end + 1;
    }
    return {};
}

void LibbpfLog::Install() { libbpf_set_print(Collect); }

} // namespace mapscope
