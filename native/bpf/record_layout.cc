/* Walks type information; see record_layout.h. */
#include "native/bpf/record_layout.h"

#include <cerrno>
#include <memory>
#include <mutex>

#include <bpf/btf.h>

#include "native/bpf/libbpf_log.h"

namespace mapscope {

namespace {

struct FreeBtf {
    void operator()(struct btf *btf) const { btf__free(btf); }
};

/* A type without its typedefs and qualifiers. */
const struct btf_type *Resolve(const struct btf *btf, uint32_t id) {
    const struct btf_type *type = btf__type_by_id(btf, id);
    while (type != nullptr && (btf_is_typedef(type) || btf_is_mod(type)))
        type = btf__type_by_id(btf, type->type);
    return type;
}

/* Collects a struct's fields, those of structs in it included. */
class FieldWalk {
  public:
    FieldWalk(const struct btf *btf, Record &record) : btf_(btf), record_(record) {}

    /* False when there is a field that no code of user space could read. */
    bool Add(const struct btf_type *type, const std::string &prefix, uint32_t start) {
        const struct btf_member *members = btf_members(type);
        for (uint32_t i = 0; i < btf_vlen(type); i++) {
            if (btf_member_bitfield_size(type, i) != 0)
                return false;
            const std::string name = prefix + btf__name_by_offset(btf_, members[i].name_off);
            if (!AddField(name, members[i].type, start + btf_member_bit_offset(type, i) / 8))
                return false;
        }
        return true;
    }

  private:
    bool AddField(const std::string &name, uint32_t type_id, uint32_t offset) {
        uint32_t count = 1;
        const struct btf_type *type = Resolve(btf_, type_id);
        const bool is_array = type != nullptr && btf_is_array(type);
        while (type != nullptr && btf_is_array(type)) {
            count *= btf_array(type)->nelems;
            type_id = btf_array(type)->type;
            type = Resolve(btf_, type_id);
        }
        if (type == nullptr)
            return false;
        if (btf_is_struct(type) && !is_array)
            return Add(type, name + ".", offset);
        const int64_t size = btf__resolve_size(btf_, type_id);
        const bool is_plain = btf_is_int(type) || btf_is_any_enum(type) || (btf_is_struct(type) && is_array);
        if (!is_plain || size <= 0)
            return false;
        record_.fields.push_back({name, offset, static_cast<uint32_t>(size), count});
        return true;
    }

    const struct btf *btf_;
    Record &record_;
};

std::vector<Enumerator> Enumerators(const struct btf *btf, const struct btf_type *type) {
    std::vector<Enumerator> enumerators;
    const bool is_signed = btf_kflag(type);
    for (uint32_t i = 0; i < btf_vlen(type); i++) {
        const bool is_wide = btf_is_enum64(type);
        const uint32_t name = is_wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;
        /* A 32-bit value is signed in the declaration, whatever the enum is. */
        const int32_t narrow = is_wide ? 0 : btf_enum(type)[i].val;
        const uint64_t value = is_wide     ? btf_enum64_value(&btf_enum64(type)[i])
                               : is_signed ? static_cast<uint64_t>(int64_t{narrow})
                                           : static_cast<uint32_t>(narrow);
        enumerators.push_back(
            {btf__name_by_offset(btf, name), value, is_signed && static_cast<int64_t>(value) < 0});
    }
    return enumerators;
}

const char *NameOf(const struct btf *btf, const struct btf_type *type) {
    return btf__name_by_offset(btf, type->name_off);
}

std::mutex mutex;
std::map<std::string, Record> used; /* under the mutex: environments share the process */

} // namespace

Result<Records> ReadRecords(const std::string &path) {
    const std::string attempted = "cannot read the records of " + path;
    LibbpfLog log;
    const std::unique_ptr<struct btf, FreeBtf> btf(btf__parse(path.c_str(), nullptr));
    if (!btf)
        return SystemFailure(attempted, errno);
    Records records;
    for (uint32_t id = 1; id < btf__type_cnt(btf.get()); id++) {
        const struct btf_type *type = btf__type_by_id(btf.get(), id);
        const std::string name = NameOf(btf.get(), type);
        if (name.empty())
            continue;
        if (btf_is_any_enum(type))
            records.enums[name] = Enumerators(btf.get(), type);
        if (!btf_is_struct(type))
            continue;
        Record &record = records.structs[name];
        record.size = type->size;
        if (!FieldWalk(btf.get(), record).Add(type, "", 0))
            return Failure{attempted + ": struct " + name + " has a field that is no whole number", "EINVAL"};
    }
    return records;
}

void UseRecords(const Records &records) {
    const std::lock_guard lock(mutex);
    used = records.structs;
}

Status CheckRecords(const struct btf *object_types, const std::string &path) {
    const std::lock_guard lock(mutex);
    for (uint32_t id = 1; object_types != nullptr && id < btf__type_cnt(object_types); id++) {
        const struct btf_type *type = btf__type_by_id(object_types, id);
        if (!btf_is_struct(type))
            continue;
        const auto expected = used.find(NameOf(object_types, type));
        if (expected == used.end())
            continue;
        Record record = {.size = type->size, .fields = {}};
        if (!FieldWalk(object_types, record).Add(type, "", 0) || record != expected->second)
            return Failure{"the BPF object " + path + " lays out struct " + expected->first +
                               " in another way than user space: they were not built together",
                           "ENOEXEC"};
    }
    return {};
}

} // namespace mapscope
