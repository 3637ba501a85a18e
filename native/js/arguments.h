/*
 * Takes values out of JavaScript arguments.
 *
 * TypeScript callers are checked already; this keeps a wrong type from becoming a crash or a wrong system
 * call, and says which argument it was. Checks are collected: read everything, then look at failure() once.
 */
#ifndef MAPSCOPE_NATIVE_JS_ARGUMENTS_H
#define MAPSCOPE_NATIVE_JS_ARGUMENTS_H

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <napi.h>

#include "native/base/failure.h"

namespace mapscope {

class Arguments {
  public:
    /** `caller` begins each sentence. */
    explicit Arguments(std::string caller) : caller_(std::move(caller)) {}

    /** The first thing that was wrong. */
    const Status &failure() const { return failure_; }

    std::string Text(Napi::Value value, const std::string &name);
    bool Flag(Napi::Value value, const std::string &name);
    uint32_t Count(Napi::Value value, const std::string &name);
    int32_t ProcessId(Napi::Value value, const std::string &name);
    uint64_t Word(Napi::Value value, const std::string &name);
    /** Borrowed: valid until the callback returns to JavaScript. */
    std::span<const uint8_t> Bytes(Napi::Value value, const std::string &name);
    Napi::Object Options(Napi::Value value);
    Napi::Function Function(Napi::Value value, const std::string &name);

    std::vector<std::string> Texts(Napi::Value value, const std::string &name);
    std::vector<uint64_t> Words(Napi::Value value, const std::string &name);
    std::map<std::string, std::vector<uint8_t>> NamedBytes(Napi::Value value, const std::string &name);
    std::map<std::string, uint32_t> NamedCounts(Napi::Value value, const std::string &name);
    std::map<std::string, std::string> NamedTexts(Napi::Value value, const std::string &name);
    std::map<std::string, Napi::Object> NamedObjects(Napi::Value value, const std::string &name);

    void Fail(const std::string &name, const std::string &requirement);

  private:
    bool IsArray(Napi::Value value, const std::string &name, const std::string &elements);
    bool IsObject(Napi::Value value, const std::string &name);

    std::string caller_;
    Status failure_;
};

} // namespace mapscope

#endif
