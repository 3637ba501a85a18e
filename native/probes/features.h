/* What this kernel and this process's rights allow, found out by trying. */
#ifndef MAPSCOPE_NATIVE_PROBES_FEATURES_H
#define MAPSCOPE_NATIVE_PROBES_FEATURES_H

#include <string>
#include <vector>

namespace mapscope {

struct Features {
    bool uprobe_multi = false;
    bool sleepable_uprobes = false;
    bool real_time = false; /* threads may have a real-time priority */
    bool bpf = false;
    std::string bpf_error;                    /* one sentence when bpf is false */
    std::vector<std::string> missing_helpers; /* of those that the programs call */
};

Features ProbeFeatures();

} // namespace mapscope

#endif
