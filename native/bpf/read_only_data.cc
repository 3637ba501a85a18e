/* Finds read-only variables through the object's own type information; see read_only_data.h. */
#include "native/bpf/read_only_data.h"

#include <cstring>

#include <bpf/btf.h>

namespace mapscope {

namespace {

constexpr char kSection[] = ".rodata";

/* Place of a variable in the section, from BTF's description of the section. */
const struct btf_var_secinfo *FindVariable(const struct btf *btf, const std::string &name) {
    const int section_id = btf__find_by_name_kind(btf, kSection, BTF_KIND_DATASEC);
    if (section_id < 0)
        return nullptr;
    const struct btf_type *section = btf__type_by_id(btf, section_id);
    const struct btf_var_secinfo *variables = btf_var_secinfos(section);
    for (int i = 0; i < btf_vlen(section); i++) {
        const struct btf_type *variable = btf__type_by_id(btf, variables[i].type);
        if (name == btf__name_by_offset(btf, variable->name_off))
            return &variables[i];
    }
    return nullptr;
}

} // namespace

Status SetReadOnlyData(struct bpf_object *object, const std::string &path, const std::string &name,
                       const std::vector<uint8_t> &bytes) {
    const std::string attempted = "cannot set '" + name + "' in the BPF object " + path + ": ";
    const struct btf *btf = bpf_object__btf(object);
    if (btf == nullptr)
        return Failure{attempted + "it was compiled without type information (clang -g)", "ENOEXEC"};

    const struct btf_var_secinfo *variable = FindVariable(btf, name);
    if (variable == nullptr)
        return Failure{attempted + "it has no read-only variable of that name", "ENOENT"};
    if (variable->size != bytes.size())
        return Failure{attempted + "the variable has " + std::to_string(variable->size) +
                           " bytes, the value " + std::to_string(bytes.size()),
                       "EINVAL"};

    /*
     * Before the load this is the memory that libbpf will copy into the map, so it may be written in spite of
     * the const: skeletons made by bpftool do the same.
     */
    struct bpf_map *map = bpf_object__find_map_by_name(object, kSection);
    size_t section_size = 0;
    void *section = map ? const_cast<void *>(bpf_map__initial_value(map, &section_size)) : nullptr;
    if (section == nullptr || variable->offset > section_size ||
        variable->size > section_size - variable->offset)
        return Failure{attempted + "its type information and its data do not agree", "ENOEXEC"};
    memcpy(static_cast<uint8_t *>(section) + variable->offset, bytes.data(), bytes.size());
    return {};
}

} // namespace mapscope
