/*
 * A compiled BPF object: opened, given its read-only data and map sizes, and loaded into the kernel.
 */
#ifndef MAPSCOPE_NATIVE_BPF_BPF_OBJECT_H
#define MAPSCOPE_NATIVE_BPF_BPF_OBJECT_H

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "native/base/failure.h"
#include "native/base/unique_fd.h"

namespace mapscope {

enum class AttachMethod { kUprobeMulti, kPerfEvent };

struct LoadOptions {
    std::string path;
    AttachMethod attach_method = AttachMethod::kUprobeMulti;
    bool sleepable = false;
    std::map<std::string, std::vector<uint8_t>> read_only_data; /* by variable name */
    std::map<std::string, uint32_t> map_sizes;                  /* max_entries by map name */
    /* Maps of the object that are not made anew, by name: those of another loaded object, ... */
    std::map<std::string, std::shared_ptr<UniqueFd>> shared_maps;
    std::map<std::string, std::string> pinned_maps; /* ... and pinned ones, by their path */
};

/** What there is to know of a map, as the kernel has created it. */
struct MapInfo {
    std::string name;
    int fd;
    enum bpf_map_type type;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
};

class BpfObject {
  public:
    /** `verifier_log` receives the verifier's words when it has refused the program. */
    static Result<std::unique_ptr<BpfObject>> Load(const LoadOptions &options, std::string &verifier_log);

    /** libbpf's; with AttachMethod::kPerfEvent only. */
    struct bpf_program *program() const { return program_; }
    int program_fd() const { return program_fd_.get(); }

    /** `attempted` begins the sentence when there is no such map. */
    Result<MapInfo> FindMap(const std::string &name, const std::string &attempted) const;

  private:
    struct CloseObject {
        void operator()(struct bpf_object *object) const { bpf_object__close(object); }
    };

    struct DestroyLink {
        void operator()(struct bpf_link *link) const { bpf_link__destroy(link); }
    };

    BpfObject() = default;
    Status Open(const LoadOptions &options);
    Status Configure(const LoadOptions &options);
    Status UseExistingMaps(const LoadOptions &options);
    Status UseMap(const std::string &name, int fd);
    Status LoadIntoKernel(const LoadOptions &options, std::string &verifier_log);
    Status KeepDescriptors(const LoadOptions &options);
    Status AttachOthers(const LoadOptions &options);

    struct Map {
        MapInfo info;
        UniqueFd fd;
    };

    std::unique_ptr<struct bpf_object, CloseObject>
        object_;                            /* until it is loaded, or longer: see program() */
    struct bpf_program *program_ = nullptr; /* at probes; owned by object_ */
    UniqueFd program_fd_;
    std::map<std::string, Map> maps_;
    std::vector<std::unique_ptr<struct bpf_link, DestroyLink>> links_; /* of all others */
};

} // namespace mapscope

#endif
