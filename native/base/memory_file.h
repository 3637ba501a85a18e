/* Files that exist in memory only: for what must have a path although there is no disk to write it to. */
#ifndef MAPSCOPE_NATIVE_BASE_MEMORY_FILE_H
#define MAPSCOPE_NATIVE_BASE_MEMORY_FILE_H

#include <cstdint>
#include <span>
#include <string>

#include "native/base/failure.h"
#include "native/base/unique_fd.h"

namespace mapscope {

enum class Executable { kNo, kYes };

/** A file of this content. It is gone when the descriptor and all mappings of it are. */
Result<UniqueFd> MakeMemoryFile(const std::string &name, std::span<const uint8_t> content,
                                Executable executable);

/** The path under which this process can open what the descriptor stands for, as long as that is open. */
std::string PathOfDescriptor(const UniqueFd &fd);

} // namespace mapscope

#endif
