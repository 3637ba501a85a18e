/*
 * What libbpf has to say, kept instead of printed.
 *
 * libbpf writes its warnings to stderr, which belongs to the command line and to the target. Its print
 * function is one global for the whole process, so it is set once and routes each message to the thread that
 * caused it.
 */
#ifndef MAPSCOPE_NATIVE_BPF_LIBBPF_LOG_H
#define MAPSCOPE_NATIVE_BPF_LIBBPF_LOG_H

#include <string>

namespace mapscope {

/** Collects libbpf's warnings on this thread for as long as it exists. */
class LibbpfLog {
  public:
    LibbpfLog();
    ~LibbpfLog();
    LibbpfLog(const LibbpfLog &) = delete;
    LibbpfLog &operator=(const LibbpfLog &) = delete;

    /** The first warning, without libbpf's prefix; the later ones are consequences. Empty if there was none.
     */
    std::string FirstWarning() const;

    void Append(const std::string &message) { text_ += message; }

    /** Silences libbpf; called when the addon is loaded, harmless when called again. */
    static void Install();

  private:
    std::string text_;
    LibbpfLog *outer_;
};

} // namespace mapscope

#endif
