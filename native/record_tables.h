/*
 * The small macros that turn bpf/records.h into tables of names, offsets and values, and the checks that make
 * the compiler complain about a field or enumerator that was forgotten.
 */
#ifndef MAPSCOPE_NATIVE_RECORD_TABLES_H
#define MAPSCOPE_NATIVE_RECORD_TABLES_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace mapscope {

struct Field {
    const char *name;
    size_t offset;
    size_t size; /* of one element */
    size_t count;
    size_t alignment;
};

struct Constant {
    const char *name;
    int64_t value;
};

/* For constants that a JavaScript number cannot hold. */
struct WideConstant {
    const char *name;
    uint64_t value;
};

struct Record {
    const char *name;
    size_t size;
    std::span<const Field> fields;
};

struct Enumeration {
    const char *name;
    std::span<const Constant> enumerators;
};

/* The tables themselves: record_structs.cc and record_constants.cc. */
std::span<const Record> Records();
std::span<const Enumeration> Enumerations();
std::span<const Constant> Constants();
std::span<const WideConstant> WideConstants();

/* Holds for each constant: beyond 2^53 a JavaScript number is no longer exact. */
constexpr bool FitNumbers(std::span<const Constant> constants) {
    for (const Constant &constant : constants)
        if (constant.value > (int64_t{1} << 53) || constant.value < -(int64_t{1} << 53))
            return false;
    return true;
}

constexpr size_t AlignUp(size_t offset, size_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
}

/* Whether each field begins where the one before it ends, and the struct ends with the last one, padding
 * aside. */
constexpr bool CoversRecord(std::span<const Field> fields, size_t size, size_t alignment) {
    size_t end = 0;
    for (const Field &field : fields) {
        if (field.offset != AlignUp(end, field.alignment))
            return false;
        end = field.offset + field.size * field.count;
    }
    return AlignUp(end, alignment) == size;
}

/*
 * One field of the struct that `Struct` stands for. `member` may be nested ("type.home"): offsetof takes such
 * a designator, and so does the name.
 */
#define MEMBER(member) decltype(std::declval<Struct>().member)
#define FIELD(member)                                                                                        \
    Field{#member, offsetof(Struct, member), sizeof(std::remove_all_extents_t<MEMBER(member)>),              \
          sizeof(MEMBER(member)) / sizeof(std::remove_all_extents_t<MEMBER(member)>),                        \
          alignof(MEMBER(member))},

/* `LIST(X)` expands to X(member) for each field; does not compile unless it covers the whole struct. */
#define RECORD(record, LIST)                                                                                 \
    namespace record##_layout {                                                                              \
        using Struct = struct record;                                                                        \
        constexpr Field fields[] = {LIST(FIELD)};                                                            \
        static_assert(CoversRecord(fields, sizeof(Struct), alignof(Struct)),                                 \
                      "a field of struct " #record " is missing here, or stands in the wrong order");        \
    }                                                                                                        \
    constexpr Record record##_record = {#record, sizeof(struct record), record##_layout::fields}

/*
 * `LIST(X)` expands to X(name) for each enumerator. The switch is there for -Wswitch, which with -Werror
 * refuses to compile when an enumerator is missing from the list.
 */
#define ENUMERATOR(name) Constant{#name, name},
#define ENUMERATOR_CASE(name) case name:
#define ENUMERATION(type, LIST)                                                                              \
    constexpr Constant type##_enumerators[] = {LIST(ENUMERATOR)};                                            \
    [[maybe_unused]] constexpr bool IsListed(enum type value) {                                              \
        switch (value) {                                                                                     \
            LIST(ENUMERATOR_CASE)                                                                            \
            return true;                                                                                     \
        }                                                                                                    \
        return false;                                                                                        \
    }                                                                                                        \
    constexpr Enumeration type##_enumeration = {#type, type##_enumerators}

#define CONSTANT(name)                                                                                       \
    Constant { #name, name }
#define WIDE_CONSTANT(name)                                                                                  \
    WideConstant { #name, name }

} // namespace mapscope

#endif
