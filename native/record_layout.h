/* Publishes the layout of bpf/records.h to JavaScript, as the compiler sees it. */
#ifndef MAPSCOPE_NATIVE_RECORD_LAYOUT_H
#define MAPSCOPE_NATIVE_RECORD_LAYOUT_H

#include <napi.h>

namespace mapscope {

Napi::Object PublishRecords(Napi::Env env);

} // namespace mapscope

#endif
