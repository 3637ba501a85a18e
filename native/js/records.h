/* The layout of the shared records as a frozen JavaScript object. */
#ifndef MAPSCOPE_NATIVE_JS_RECORDS_H
#define MAPSCOPE_NATIVE_JS_RECORDS_H

#include <napi.h>

#include "native/bpf/record_layout.h"

namespace mapscope {

Napi::Object ToObject(Napi::Env env, const Records &records);

} // namespace mapscope

#endif
