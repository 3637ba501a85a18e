/* Reads the target's memory. */
#ifndef MAPSCOPE_NATIVE_PROCESS_TARGET_MEMORY_H
#define MAPSCOPE_NATIVE_PROCESS_TARGET_MEMORY_H

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

#include "native/base/failure.h"

namespace mapscope {

/** Reads all of `length` bytes or fails. */
Status ReadMemory(pid_t pid, uint64_t address, uint8_t *bytes, size_t length);

} // namespace mapscope

#endif
