/*
 * Keeps the kernel's run-time statistics of BPF programs switched on.
 *
 * They are off by default since they cost two clock reads per run. The kernel counts while some process holds
 * the descriptor that BPF_ENABLE_STATS gives out, so holding it is all there is to do.
 */
#ifndef MAPSCOPE_NATIVE_RUN_STATISTICS_H
#define MAPSCOPE_NATIVE_RUN_STATISTICS_H

#include <memory>
#include <vector>

#include <napi.h>

#include "unique_fd.h"

namespace mapscope {

/** One per JavaScript environment, and gone with it. */
class RunStatistics {
  public:
    /** Returns a function that gives the descriptor back. */
    Napi::Value Enable(Napi::Env env);

  private:
    /* Held here as well as by the returned function, so that statistics go on if JavaScript drops the
     * function. */
    std::vector<std::shared_ptr<UniqueFd>> held_;
};

} // namespace mapscope

#endif
