/* The tables of bpf/records.h as one frozen JavaScript object; see record_layout.h. */
#include "record_layout.h"

#include "record_tables.h"

namespace mapscope {

namespace {

Napi::Object PublishRecord(Napi::Env env, const Record &record) {
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
    auto published = Napi::Object::New(env);
    published.Set("size", Napi::Number::New(env, record.size));
    published.Set("fields", fields);
    published.Freeze();
    return published;
}

Napi::Object PublishConstants(Napi::Env env, std::span<const Constant> constants) {
    auto published = Napi::Object::New(env);
    for (const Constant &constant : constants)
        published.Set(constant.name, Napi::Number::New(env, constant.value));
    published.Freeze();
    return published;
}

Napi::Object PublishWideConstants(Napi::Env env, std::span<const WideConstant> constants) {
    auto published = Napi::Object::New(env);
    for (const WideConstant &constant : constants)
        published.Set(constant.name, Napi::BigInt::New(env, constant.value));
    published.Freeze();
    return published;
}

} // namespace

Napi::Object PublishRecords(Napi::Env env) {
    auto structs = Napi::Object::New(env);
    for (const Record &record : Records())
        structs.Set(record.name, PublishRecord(env, record));
    structs.Freeze();

    auto enums = Napi::Object::New(env);
    for (const Enumeration &enumeration : Enumerations())
        enums.Set(enumeration.name, PublishConstants(env, enumeration.enumerators));
    enums.Freeze();

    auto published = Napi::Object::New(env);
    published.Set("structs", structs);
    published.Set("enums", enums);
    published.Set("constants", PublishConstants(env, Constants()));
    published.Set("wideConstants", PublishWideConstants(env, WideConstants()));
    published.Freeze();
    return published;
}

} // namespace mapscope
