/* Fills and reads BPF maps, many elements per system call where the kernel can. */
#ifndef MAPSCOPE_NATIVE_MAP_ACCESS_H
#define MAPSCOPE_NATIVE_MAP_ACCESS_H

#include <cstdint>
#include <span>
#include <vector>

#include "bpf_object.h"
#include "failure.h"

namespace mapscope {

/** Keys and values packed one after the other; a per-CPU value is one value per possible CPU, each padded to
 * 8 bytes. */
struct MapContents {
    std::vector<uint8_t> keys;
    std::vector<uint8_t> values;
    uint32_t count = 0;
    uint32_t cpus = 0;
};

/** Writes `count` elements into a hash or array map. */
Status UpdateMap(const MapInfo &map, std::span<const uint8_t> keys, std::span<const uint8_t> values,
                 uint32_t count);

constexpr uint32_t kAllElements = UINT32_MAX;

/** Reads elements of a per-CPU hash or array map, at most so many: of an array the first. */
Status ReadPerCpuMap(const MapInfo &map, uint32_t most, MapContents &contents);

/** Reads elements of an array map that all CPUs share: the first ones, at most so many. */
Status ReadArray(const MapInfo &map, uint32_t most, MapContents &contents);

/** Reads elements of a hash map, at most so many, and removes them. What a program adds to an element between
 * the two is lost: the caller sees to it that none does. */
Status DrainMap(const MapInfo &map, uint32_t most, MapContents &contents);

} // namespace mapscope

#endif
