/* Limits of this process; see limits.h. */
#include "native/self/limits.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace mapscope {

namespace {

struct timespec g_left;
int g_status;

void *EndLater(void *) {
    /* Whole: no signal is handled on this thread. */
    nanosleep(&g_left, nullptr);
    _exit(g_status);
}

/* What a thread executes must not be unloaded with the last environment of Node's that has loaded it. */
bool StayLoaded() {
    Dl_info info;
    return dladdr(reinterpret_cast<void *>(&EndLater), &info) != 0 &&
           dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}

} // namespace

Status LimitThisProcess(uint32_t cpu_seconds) {
    /* Both limits are the same: at the lower one alone there would be a signal that dumps core. */
    const struct rlimit seconds = {cpu_seconds, cpu_seconds};
    if (setrlimit(RLIMIT_CPU, &seconds) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return SystemFailure("cannot limit this process", errno);
    return {};
}

Status EndWithin(uint32_t millis, int status) {
    static std::atomic_flag is_ending;
    if (!StayLoaded())
        return Failure{"cannot keep this addon loaded", "ENOENT"};
    if (is_ending.test_and_set())
        return {};
    g_left = {static_cast<time_t>(millis / 1000), static_cast<long>(millis % 1000) * 1'000'000};
    g_status = status;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, EndLater, nullptr);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error) {
        is_ending.clear();
        return SystemFailure("cannot start the thread that ends this process", error);
    }
    pthread_detach(thread);
    return {};
}

} // namespace mapscope
