/*
 * One window, from attach to detach, on one thread: what it costs the target must not depend on when the
 * JavaScript thread finds time to end it.
 */
#ifndef MAPSCOPE_NATIVE_PROBES_WINDOW_H
#define MAPSCOPE_NATIVE_PROBES_WINDOW_H

#include <cstdint>
#include <memory>
#include <optional>

#include <bpf/libbpf.h>

#include "native/base/failure.h"
#include "native/bpf/bpf_object.h"
#include "native/bpf/map_access.h"
#include "native/bpf/record_layout.h"
#include "native/probes/uprobe_links.h"

namespace mapscope {

struct WindowLimits {
    uint32_t open_micros;
    uint32_t hit_limit; /* per CPU */
};

struct WindowResult {
    uint64_t opened = 0;                  /* CLOCK_MONOTONIC, ns: the gate was open from here */
    uint64_t closed = 0;                  /* to here */
    double cpu_seconds = 0;               /* that the process used meanwhile; 0: it has ended */
    bool full = false;                    /* a CPU reached the hit limit */
    std::optional<double> locked_seconds; /* UprobeLinks::locked_seconds() */
    MapContents cpu_states;
};

/** Whether a window's records are laid out as this addon was compiled for. `path` names their object. */
Status CheckWindowRecords(const Records &records, const std::string &path);

/** Opens and closes the gate of a loaded program (bpf/counts/window.bpf.h). */
class WindowGate {
  public:
    static Result<std::unique_ptr<WindowGate>> Find(const BpfObject &object);

    /** Returns when the window is over and nothing is attached any more, also after a failure. */
    Status Run(UprobeLinks &links, const BpfObject &object, AttachMethod method, const ProbeSites &sites,
               const WindowLimits &limits, WindowResult &result);

  private:
    struct FreeRing {
        void operator()(struct ring_buffer *ring) const { ring_buffer__free(ring); }
    };

    WindowGate() = default;
    static int TakeEnd(void *gate, void *data, size_t size);
    Status Set(bool open, const WindowLimits &limits) const;
    void WaitUntil(uint64_t time);

    MapInfo gates_;
    MapInfo cpu_states_;
    std::unique_ptr<struct ring_buffer, FreeRing> ends_;
    uint64_t window_ = 0;   /* number of the window that is under way */
    uint64_t ended_at_ = 0; /* when a CPU closed it; 0: none has */
};

} // namespace mapscope

#endif
