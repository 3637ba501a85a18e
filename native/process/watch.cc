/*
 * The debug registers of x86-64, as ptrace() offers them; see watch.h. Intel's manual, volume 3B, 17.2: DR0
 * holds an address, and of DR7 the lowest bit switches it on; all others zero mean that it is that of an
 * instruction.
 */
#include "native/process/watch.h"

#include <csignal>
#include <cstddef>

#include <sys/ptrace.h>
#include <sys/user.h>

namespace mapscope {

namespace {

constexpr uintptr_t kOff = 0;
constexpr uintptr_t kFirstOfInstructions = 1;

bool SetDebugRegister(pid_t thread, size_t number, uintptr_t value) {
    const size_t offset = offsetof(struct user, u_debugreg) + number * sizeof(user::u_debugreg[0]);
    return ptrace(PTRACE_POKEUSER, thread, reinterpret_cast<void *>(offset),
                  reinterpret_cast<void *>(value)) == 0;
}

} // namespace

bool WatchInstruction(pid_t thread, uintptr_t address) {
    if (!SetDebugRegister(thread, 7, kOff))
        return false;
    return address == 0 ||
           (SetDebugRegister(thread, 0, address) && SetDebugRegister(thread, 7, kFirstOfInstructions));
}

bool IsAtWatchedInstruction(pid_t thread) {
    siginfo_t info = {};
    return ptrace(PTRACE_GETSIGINFO, thread, nullptr, &info) == 0 && info.si_signo == SIGTRAP &&
           info.si_code == TRAP_HWBKPT;
}

} // namespace mapscope
