/* Batched access to BPF maps, with a way out for kernels that have none; see map_access.h. */
#include "native/bpf/map_access.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <bpf/bpf.h>

namespace mapscope {

namespace {

/* Most maps that are read often hold little: memory for more would be mapped, cleared and unmapped each time.
 */
constexpr uint64_t kFirstBatchBytes = 64 * 1024;
constexpr uint64_t kLargestBatchBytes = 1024 * 1024;

/* A kernel from before batches, or a map type without them. */
bool IsBatchRefused(int error) {
    return error == EINVAL || error == kNotSupportedByKernel || error == EOPNOTSUPP;
}

/* Elements that an array certainly holds: then there is one read, into memory of the right size. */
bool IsArray(const MapInfo &map) {
    return map.type == BPF_MAP_TYPE_ARRAY || map.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Reads by steps that each append to the contents, and removes what it has read if asked to. */
class MapReader {
  public:
    MapReader(const MapInfo &map, uint64_t value_bytes, uint32_t most, bool remove, MapContents &contents)
        : map_(map), value_bytes_(value_bytes), most_(std::min(most, map.max_entries)), remove_(remove),
          contents_(contents) {}

    /* Returns 0 or an errno. */
    int Read() {
        const int error = ReadInBatches();
        /* Nothing has been removed when the kernel refuses batches: it does so at the first. */
        return error && IsBatchRefused(error) && contents_.count == 0 ? ReadOneByOne() : error;
    }

  private:
    int ReadInBatches() {
        const auto next_batch = remove_ ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch;
        /* A hash map's position is a 4-byte bucket number, an array's is a key. */
        std::vector<uint8_t> position(std::max<size_t>(map_.key_size, sizeof(uint32_t)));
        bool at_start = true;
        uint64_t room = IsArray(map_) ? std::max<uint32_t>(most_, 1) : ElementsIn(kFirstBatchBytes);
        while (contents_.count < most_) {
            /* Not less room for the last elements of a hash: the kernel gives a bucket whole or not at all,
             * and what comes in while it is read may make it more than `most_`. */
            uint32_t count = IsArray(map_) ? std::min<uint64_t>(room, most_ - contents_.count) : room;
            if (!Resize(contents_.count + count))
                return ENOMEM;
            const int result = next_batch(map_.fd, at_start ? nullptr : position.data(), position.data(),
                                          NextKey(), NextValue(), &count, nullptr);
            switch (-result) {
            case 0:
                contents_.count += count;
                at_start = false;
                room = std::max(room, std::min(2 * room, ElementsIn(kLargestBatchBytes)));
                break;
            case ENOENT: /* the end of the map, and the last batch is good */
                contents_.count += count;
                return Trim();
            case ENOSPC: /* a single bucket of the hash holds more than there is room for */
                if (room > map_.max_entries)
                    return ENOSPC;
                room *= 2;
                break;
            default:
                return -result;
            }
        }
        return Trim();
    }

    uint64_t ElementsIn(uint64_t bytes) const {
        return std::clamp<uint64_t>(bytes / (map_.key_size + value_bytes_), 1, map_.max_entries);
    }

    int ReadOneByOne() {
        std::vector<uint8_t> key(map_.key_size);
        const void *previous = nullptr;
        /* Bounded, because the iteration starts over when its last key has been deleted meanwhile. */
        for (uint32_t steps = 0; steps < map_.max_entries && contents_.count < most_; steps++) {
            const int next = bpf_map_get_next_key(map_.fd, previous, key.data());
            if (next == -ENOENT)
                break;
            if (next)
                return -next;
            if (!Resize(contents_.count + 1))
                return ENOMEM;
            std::copy(key.begin(), key.end(), NextKey());
            const int found = bpf_map_lookup_elem(map_.fd, key.data(), NextValue());
            if (found == 0)
                contents_.count++;
            else if (found != -ENOENT) /* deleted meanwhile */
                return -found;
            if (!remove_)
                previous = key.data();
            else if (const int removed = bpf_map_delete_elem(map_.fd, key.data());
                     removed && removed != -ENOENT)
                return -removed;
        }
        return Trim();
    }

    int Trim() { return Resize(contents_.count) ? 0 : ENOMEM; }

    bool Resize(uint64_t count) {
        return contents_.keys.Resize(count * map_.key_size) && contents_.values.Resize(count * value_bytes_);
    }
    uint8_t *NextKey() { return contents_.keys.data() + uint64_t{contents_.count} * map_.key_size; }
    uint8_t *NextValue() { return contents_.values.data() + contents_.count * value_bytes_; }

    const MapInfo &map_;
    const uint64_t value_bytes_;
    const uint32_t most_; /* elements to read; of a hash the last bucket may make it a few more */
    const bool remove_;
    MapContents &contents_;
};

int UpdateOneByOne(const MapInfo &map, std::span<const uint8_t> keys, std::span<const uint8_t> values,
                   uint32_t count) {
    for (size_t i = 0; i < count; i++) {
        const int result = bpf_map_update_elem(map.fd, keys.data() + i * map.key_size,
                                               values.data() + i * map.value_size, BPF_ANY);
        if (result)
            return -result;
    }
    return 0;
}

/* Reads a map of which all CPUs share the values. */
Status ReadShared(const MapInfo &map, uint32_t most, bool remove, const std::string &attempted,
                  MapContents &contents) {
    contents = {};
    contents.cpus = 1;
    if (const int error = MapReader(map, map.value_size, most, remove, contents).Read())
        return SystemFailure(attempted, error);
    return {};
}

Failure WrongSize(const std::string &attempted, const char *what, uint32_t count, size_t each,
                  size_t actual) {
    return {attempted + ": " + std::to_string(count) + " " + what + " of " + std::to_string(each) +
                " bytes make " + std::to_string(count * each) + " bytes, not " + std::to_string(actual),
            "EINVAL"};
}

} // namespace

bool ReadBuffer::Resize(size_t size) {
    if (size == size_)
        return true;
    if (size == 0) {
        bytes_.reset();
    } else {
        auto *resized = static_cast<uint8_t *>(std::realloc(bytes_.get(), size));
        if (resized == nullptr)
            return false;
        bytes_.release(); /* realloc() has taken it */
        bytes_.reset(resized);
    }
    size_ = size;
    return true;
}

Status UpdateMap(const MapInfo &map, std::span<const uint8_t> keys, std::span<const uint8_t> values,
                 uint32_t count) {
    const std::string attempted = "cannot update the BPF map '" + map.name + "'";
    if (map.type != BPF_MAP_TYPE_HASH && map.type != BPF_MAP_TYPE_LRU_HASH && map.type != BPF_MAP_TYPE_ARRAY)
        return Failure{attempted + ": it is neither a hash nor an array map", "EINVAL"};
    if (keys.size() != uint64_t{count} * map.key_size)
        return WrongSize(attempted, "keys", count, map.key_size, keys.size());
    if (values.size() != uint64_t{count} * map.value_size)
        return WrongSize(attempted, "values", count, map.value_size, values.size());
    if (count == 0)
        return {};

    uint32_t written = count;
    int error = -bpf_map_update_batch(map.fd, keys.data(), values.data(), &written, nullptr);
    if (error && IsBatchRefused(error))
        error = UpdateOneByOne(map, keys, values, count);
    if (error == 0)
        return {};
    Failure failure = SystemFailure(attempted, error);
    if (error == E2BIG) /* the text for this errno speaks of argument lists */
        failure.sentence =
            attempted + ": it has room for only " + std::to_string(map.max_entries) + " entries";
    return failure;
}

Status ReadPerCpuMap(const MapInfo &map, uint32_t most, MapContents &contents) {
    const std::string attempted = "cannot read the BPF map '" + map.name + "'";
    if (map.type != BPF_MAP_TYPE_PERCPU_HASH && map.type != BPF_MAP_TYPE_LRU_PERCPU_HASH &&
        map.type != BPF_MAP_TYPE_PERCPU_ARRAY)
        return Failure{attempted + ": it is not a per-CPU map", "EINVAL"};
    const int cpus = libbpf_num_possible_cpus();
    if (cpus < 0)
        return SystemFailure(attempted + ", for the number of CPUs is unknown", -cpus);

    contents = {};
    contents.cpus = cpus;
    /* The kernel's layout: it pads each CPU's value, and includes CPUs that are possible but absent. */
    const uint64_t value_bytes = (uint64_t{map.value_size} + 7) / 8 * 8 * cpus;
    if (const int error = MapReader(map, value_bytes, most, false, contents).Read())
        return SystemFailure(attempted, error);
    return {};
}

Status ReadSharedMap(const MapInfo &map, uint32_t most, MapContents &contents) {
    const std::string attempted = "cannot read the BPF map '" + map.name + "'";
    if (map.type != BPF_MAP_TYPE_ARRAY && map.type != BPF_MAP_TYPE_HASH)
        return Failure{attempted + ": it is neither a hash nor an array map", "EINVAL"};
    return ReadShared(map, most, false, attempted, contents);
}

Status DrainMap(const MapInfo &map, uint32_t most, MapContents &contents) {
    const std::string attempted = "cannot drain the BPF map '" + map.name + "'";
    if (map.type != BPF_MAP_TYPE_HASH && map.type != BPF_MAP_TYPE_LRU_HASH)
        return Failure{attempted + ": it is not a hash map", "EINVAL"};
    return ReadShared(map, most, true, attempted, contents);
}

} // namespace mapscope
