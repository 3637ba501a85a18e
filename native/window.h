/*
 * One window, from attach to detach, on one thread: what it costs the target must not depend on when the
 * JavaScript thread finds time to end it.
 */
#ifndef MAPSCOPE_NATIVE_WINDOW_H
#define MAPSCOPE_NATIVE_WINDOW_H

#include <cstdint>
#include <memory>

#include <bpf/libbpf.h>

#include "bpf_object.h"
#include "failure.h"
#include "map_access.h"
#include "uprobe_links.h"

namespace mapscope {

struct WindowLimits {
    uint32_t open_micros;
    uint32_t hit_limit; /* per CPU */
};

struct WindowResult {
    uint64_t opened = 0; /* CLOCK_MONOTONIC, ns: the gate was open from here */
    uint64_t closed = 0; /* to here */
    bool full = false;   /* a CPU reached the hit limit */
    MapContents cpu_states;
};

/** Opens and closes the gate of a loaded program (bpf/window.bpf.h). */
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
    Status Set(uint64_t open, uint64_t hit_limit) const;
    void WaitUntil(uint64_t time);

    MapInfo gates_;
    MapInfo cpu_states_;
    std::unique_ptr<struct ring_buffer, FreeRing> ends_;
    uint64_t window_ = 0;   /* number of the window that is under way */
    uint64_t ended_at_ = 0; /* when a CPU closed it; 0: none has */
};

} // namespace mapscope

#endif
