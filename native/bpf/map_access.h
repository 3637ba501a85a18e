/* Fills and reads BPF maps, many elements per system call where the kernel can. */
#ifndef MAPSCOPE_NATIVE_BPF_MAP_ACCESS_H
#define MAPSCOPE_NATIVE_BPF_MAP_ACCESS_H

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "native/base/failure.h"
#include "native/bpf/bpf_object.h"

namespace mapscope {

/** Memory that is read into: left as it is when it grows, and handed on without a copy. */
class ReadBuffer {
  public:
    uint8_t *data() const { return bytes_.get(); }
    size_t size() const { return size_; }

    /** False when there is no memory: what is there remains. */
    bool Resize(size_t size);

    /** To be given back by free(). */
    uint8_t *Release() { return bytes_.release(); }

  private:
    struct Free {
        void operator()(uint8_t *bytes) const { std::free(bytes); }
    };
    std::unique_ptr<uint8_t, Free> bytes_;
    size_t size_ = 0;
};

/** Keys and values packed one after the other; a per-CPU value is one value per possible CPU, each padded to
 * 8 bytes. */
struct MapContents {
    ReadBuffer keys;
    ReadBuffer values;
    uint32_t count = 0;
    uint32_t cpus = 0;
};

/** Writes `count` elements into a hash or array map. */
Status UpdateMap(const MapInfo &map, std::span<const uint8_t> keys, std::span<const uint8_t> values,
                 uint32_t count);

constexpr uint32_t kAllElements = UINT32_MAX;

/** Reads elements of a per-CPU hash or array map, at most so many: of an array the first. */
Status ReadPerCpuMap(const MapInfo &map, uint32_t most, MapContents &contents);

/** Reads elements of a hash or array map that all CPUs share, at most so many: of an array the first; of a
 * hash the last bucket may make it a few more. */
Status ReadSharedMap(const MapInfo &map, uint32_t most, MapContents &contents);

/** Reads elements of a hash map, at most so many but for its last bucket, and removes them. What a program
 * adds to an element between the two is lost: the caller sees to it that none does. */
Status DrainMap(const MapInfo &map, uint32_t most, MapContents &contents);

} // namespace mapscope

#endif
