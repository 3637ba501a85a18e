/*
 * Where the fields of the records are that the BPF programs share with user space (bpf/shared/), and what
 * their enumerators are worth: as the compiler of the programs has laid them out, read from the type
 * information (BTF) that it writes.
 */
#ifndef MAPSCOPE_NATIVE_BPF_RECORD_LAYOUT_H
#define MAPSCOPE_NATIVE_BPF_RECORD_LAYOUT_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "native/base/failure.h"

struct btf;

namespace mapscope {

struct Field {
    std::string name; /* of a struct inside the struct: its path, "type.home" */
    uint32_t offset;
    uint32_t size;  /* of one element */
    uint32_t count; /* 1, unless it is an array */

    bool operator==(const Field &) const = default;
};

struct Record {
    uint32_t size = 0;
    std::vector<Field> fields;

    bool operator==(const Record &) const = default;
};

struct Enumerator {
    std::string name;
    uint64_t value; /* two's complement when it is negative */
    bool is_negative;
};

struct Records {
    std::map<std::string, Record> structs;
    std::map<std::string, std::vector<Enumerator>> enums;
};

/** All structs and enums that have names. `path` is that of a compiled BPF object. */
Result<Records> ReadRecords(const std::string &path);

/**
 * What user space will encode and decode by, from now on and for the whole process: CheckRecords() compares
 * with it.
 */
void UseRecords(const Records &records);

/**
 * Whether an object's structs are laid out as those of the same name that are in use. Fails when the object
 * was built from other headers: each of its records would be taken for something else.
 */
Status CheckRecords(const struct btf *object_types, const std::string &path);

} // namespace mapscope

#endif
