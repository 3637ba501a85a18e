/*
 * The kernel's file system of trace events, mounted for this process alone: uprobes can be defined as trace
 * events there.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_TRACEFS_H
#define MAPSCOPE_NATIVE_PROBES_TRACEFS_H

#include <cstdint>
#include <string>

#include "native/base/failure.h"
#include "native/base/unique_fd.h"

namespace mapscope {

/** Its root. What processes like this one have left behind, because they were killed, is removed. */
Result<UniqueFd> OpenTracefs();

/** Names of this process's events are all different, and no other process's. */
std::string NewTraceEventName();

/** Defines a uprobe. Nothing is probed by that. Returns the number for perf_event_open(). */
Result<uint64_t> DefineUprobeEvent(const UniqueFd &tracefs, const std::string &name, const std::string &path,
                                   uint64_t offset);

void RemoveUprobeEvent(const UniqueFd &tracefs, const std::string &name);

} // namespace mapscope

#endif
