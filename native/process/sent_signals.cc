/* Counts signals by who has sent them; see sent_signals.h. */
#include "native/process/sent_signals.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>

namespace mapscope {

namespace {

std::atomic<uint32_t> g_sent[NSIG];
/* The handler that was there before, of each signal: libuv's. */
void (*g_handlers[NSIG])(int);

static_assert(std::atomic<uint32_t>::is_always_lock_free, "a signal handler must not wait");

void Count(int signal, siginfo_t *info, void *) {
    /* SI_KERNEL: from a terminal, by a key or because it hung up. */
    if (info->si_code != SI_KERNEL)
        g_sent[signal].fetch_add(1, std::memory_order_relaxed);
    g_handlers[signal](signal);
}

Status Refuse(const std::string &why) { return Failure{"signals cannot be counted: " + why, "EINVAL"}; }

} // namespace

Status CountSentSignals(int signal) {
    struct sigaction before;
    if (signal < 1 || signal >= NSIG || sigaction(signal, nullptr, &before))
        return Refuse("there is no such signal");
    if (before.sa_flags & SA_SIGINFO) {
        if (before.sa_sigaction == Count)
            return {};
        return Refuse("their handler is not Node's");
    }
    if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)
        return Refuse("nobody listens to them");
    g_handlers[signal] = before.sa_handler;
    struct sigaction counting = before;
    counting.sa_flags |= SA_SIGINFO;
    counting.sa_sigaction = Count;
    if (sigaction(signal, &counting, nullptr))
        return SystemFailure("signals cannot be counted", errno);
    return {};
}

uint32_t TakeSentSignals(int signal) {
    return signal < 1 || signal >= NSIG ? 0 : g_sent[signal].exchange(0, std::memory_order_relaxed);
}

} // namespace mapscope
