/* A file descriptor that closes itself. */
#ifndef MAPSCOPE_NATIVE_BASE_UNIQUE_FD_H
#define MAPSCOPE_NATIVE_BASE_UNIQUE_FD_H

#include <unistd.h>

#include <utility>

namespace mapscope {

class UniqueFd {
  public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd &operator=(UniqueFd &&other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~UniqueFd() { Close(); }

    int get() const { return fd_; }
    /** Leaves closing to the caller. */
    int Release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

    /* Not retried on EINTR: Linux has released the number by then, and another thread may own it already. */
    void Close() {
        if (fd_ >= 0)
            close(std::exchange(fd_, -1));
    }

  private:
    int fd_ = -1;
};

} // namespace mapscope

#endif
