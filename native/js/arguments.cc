/* Checked conversions from JavaScript; see arguments.h. */
#include "native/js/arguments.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace mapscope {

namespace {

std::string Element(const std::string &name, uint32_t index) {
    return name + "[" + std::to_string(index) + "]";
}

} // namespace

void Arguments::Fail(const std::string &name, const std::string &requirement) {
    if (!failure_)
        failure_ = Failure{caller_ + ": " + name + " must be " + requirement, "ERR_INVALID_ARG_TYPE"};
}

std::string Arguments::Text(Napi::Value value, const std::string &name) {
    if (!value.IsString()) {
        Fail(name, "a string");
        return {};
    }
    std::string text = value.As<Napi::String>().Utf8Value();
    /* The kernel would take the part before the NUL for the whole. */
    if (text.find('\0') != std::string::npos)
        Fail(name, "a string without NUL characters");
    return text;
}

Napi::Function Arguments::Function(Napi::Value value, const std::string &name) {
    if (value.IsFunction())
        return value.As<Napi::Function>();
    Fail(name, "a function");
    return {};
}

bool Arguments::Flag(Napi::Value value, const std::string &name) {
    if (!value.IsBoolean()) {
        Fail(name, "a boolean");
        return false;
    }
    return value.As<Napi::Boolean>().Value();
}

uint32_t Arguments::Count(Napi::Value value, const std::string &name) {
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (!(number >= 0 && number <= std::numeric_limits<uint32_t>::max()) || number != std::floor(number)) {
        Fail(name, "an unsigned 32-bit integer");
        return 0;
    }
    return static_cast<uint32_t>(number);
}

int32_t Arguments::ProcessId(Napi::Value value, const std::string &name) {
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    /* 0 and negative numbers mean "this process" or "every process" to the kernel. */
    if (!(number >= 1 && number <= std::numeric_limits<int32_t>::max()) || number != std::floor(number)) {
        Fail(name, "a process id");
        return 0;
    }
    return static_cast<int32_t>(number);
}

uint64_t Arguments::Word(Napi::Value value, const std::string &name) {
    bool lossless = false;
    const uint64_t word = value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&lossless) : 0;
    if (!lossless)
        Fail(name, "an unsigned 64-bit bigint");
    return word;
}

std::span<const uint8_t> Arguments::Bytes(Napi::Value value, const std::string &name) {
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
        Fail(name, "a Uint8Array");
        return {};
    }
    const auto array = value.As<Napi::Uint8Array>();
    return {array.Data(), array.ElementLength()};
}

bool Arguments::IsObject(Napi::Value value, const std::string &name) {
    if (value.IsObject())
        return true;
    Fail(name, "an object");
    return false;
}

bool Arguments::IsArray(Napi::Value value, const std::string &name, const std::string &elements) {
    if (value.IsArray())
        return true;
    Fail(name, "an array of " + elements);
    return false;
}

Napi::Object Arguments::Options(Napi::Value value) {
    if (!IsObject(value, "options"))
        return Napi::Object::New(value.Env());
    return value.As<Napi::Object>();
}

std::vector<std::string> Arguments::Texts(Napi::Value value, const std::string &name) {
    std::vector<std::string> texts;
    if (!IsArray(value, name, "strings"))
        return texts;
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length() && !failure_; i++)
        texts.push_back(Text(array.Get(i), Element(name, i)));
    return texts;
}

std::vector<uint64_t> Arguments::Words(Napi::Value value, const std::string &name) {
    std::vector<uint64_t> words;
    if (!IsArray(value, name, "bigints"))
        return words;
    const auto array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length() && !failure_; i++)
        words.push_back(Word(array.Get(i), Element(name, i)));
    return words;
}

std::map<std::string, std::vector<uint8_t>> Arguments::NamedBytes(Napi::Value value,
                                                                  const std::string &name) {
    std::map<std::string, std::vector<uint8_t>> named;
    if (!IsObject(value, name))
        return named;
    const auto object = value.As<Napi::Object>();
    for (const std::string &key : Texts(object.GetPropertyNames(), name)) {
        const auto bytes = Bytes(object.Get(key), name + "." + key);
        named[key].assign(bytes.begin(), bytes.end());
    }
    return named;
}

std::map<std::string, uint32_t> Arguments::NamedCounts(Napi::Value value, const std::string &name) {
    std::map<std::string, uint32_t> named;
    if (!IsObject(value, name))
        return named;
    const auto object = value.As<Napi::Object>();
    for (const std::string &key : Texts(object.GetPropertyNames(), name))
        named[key] = Count(object.Get(key), name + "." + key);
    return named;
}

std::map<std::string, std::string> Arguments::NamedTexts(Napi::Value value, const std::string &name) {
    std::map<std::string, std::string> named;
    if (!IsObject(value, name))
        return named;
    const auto object = value.As<Napi::Object>();
    for (const std::string &key : Texts(object.GetPropertyNames(), name))
        named[key] = Text(object.Get(key), name + "." + key);
    return named;
}

std::map<std::string, Napi::Object> Arguments::NamedObjects(Napi::Value value, const std::string &name) {
    std::map<std::string, Napi::Object> named;
    if (!IsObject(value, name))
        return named;
    const auto object = value.As<Napi::Object>();
    for (const std::string &key : Texts(object.GetPropertyNames(), name))
        if (const Napi::Value element = object.Get(key); IsObject(element, name + "." + key))
            named[key] = element.As<Napi::Object>();
    return named;
}

} // namespace mapscope
