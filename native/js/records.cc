/* Structs, fields and enumerators by name; see records.h. */
#include "native/js/records.h"

namespace mapscope {

namespace {

Napi::Object RecordObject(Napi::Env env, const Record &record) {
    auto fields = Napi::Object::New(env);
    for (const Field &field : record.fields) {
        auto layout = Napi::Object::New(env);
        layout.Set("offset", Napi::Number::New(env, field.offset));
        layout.Set("size", Napi::Number::New(env, field.size));
        layout.Set("count", Napi::Number::New(env, field.count));
        layout.Freeze();
        fields.Set(field.name, layout);
    }
    fields.Freeze();
    auto object = Napi::Object::New(env);
    object.Set("size", Napi::Number::New(env, record.size));
    object.Set("fields", fields);
    object.Freeze();
    return object;
}

/* A bigint when a number would not be exact. */
Napi::Value EnumeratorValue(Napi::Env env, const Enumerator &enumerator) {
    constexpr uint64_t kMostExact = uint64_t{1} << 53;
    const auto negative = static_cast<int64_t>(enumerator.value);
    if (enumerator.is_negative)
        return Napi::Number::New(env, static_cast<double>(negative));
    if (enumerator.value > kMostExact)
        return Napi::BigInt::New(env, enumerator.value);
    return Napi::Number::New(env, static_cast<double>(enumerator.value));
}

} // namespace

Napi::Object ToObject(Napi::Env env, const Records &records) {
    auto structs = Napi::Object::New(env);
    for (const auto &[name, record] : records.structs)
        structs.Set(name, RecordObject(env, record));
    structs.Freeze();
    auto enums = Napi::Object::New(env);
    for (const auto &[name, enumerators] : records.enums) {
        auto values = Napi::Object::New(env);
        for (const Enumerator &enumerator : enumerators)
            values.Set(enumerator.name, EnumeratorValue(env, enumerator));
        values.Freeze();
        enums.Set(name, values);
    }
    enums.Freeze();
    auto object = Napi::Object::New(env);
    object.Set("structs", structs);
    object.Set("enums", enums);
    object.Freeze();
    return object;
}

} // namespace mapscope
