/*
 * How the native code says that something failed.
 *
 * C++ exceptions are off (Node-API callbacks must not throw through C frames), so every fallible function
 * returns a Status or a Result. A failure is one sentence for people and one code for programs; it becomes a
 * JavaScript Error only at the edge, in native/js/error.h.
 */
#ifndef MAPSCOPE_NATIVE_BASE_FAILURE_H
#define MAPSCOPE_NATIVE_BASE_FAILURE_H

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace mapscope {

struct Failure {
    std::string sentence;
    std::string code; /* the errno's name ("EPERM"), or one of Node's ERR_ codes */
};

/** Empty when all went well. */
using Status = std::optional<Failure>;

template <typename T>
class Result {
  public:
    Result(T value) : content_(std::move(value)) {}
    Result(Failure failure) : content_(std::move(failure)) {}

    explicit operator bool() const { return std::holds_alternative<T>(content_); }
    T &operator*() { return *std::get_if<T>(&content_); }
    T *operator->() { return std::get_if<T>(&content_); }
    const Failure &failure() const { return *std::get_if<Failure>(&content_); }

  private:
    std::variant<T, Failure> content_;
};

/* ENOTSUPP: the kernel's own, which is in no user-space header but leaks through bpf() and perf_event_open().
 */
constexpr int kNotSupportedByKernel = 524;

/** What an errno, or one of libbpf's own error numbers, means in words. */
std::string DescribeError(int error_number);

/** The name of an errno: "EPERM". */
std::string ErrorCode(int error_number);

/** "<attempted>: <what the error number means>". */
Failure SystemFailure(const std::string &attempted, int error_number);

/** "0x1f40", for the addresses and offsets that sentences name. */
std::string Hex(unsigned long long number);

} // namespace mapscope

#endif
