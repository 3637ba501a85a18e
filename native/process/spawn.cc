/*
 * Starts a program that stands still before its first instruction.
 *
 * Probes must be in place before the program runs, but the file can only be probed for a process once the
 * process maps it, that is after execve(). Nothing but ptrace stops a process just there. It stays traced
 * until it may run, because the kernel then keeps a promise that no handler here could keep: with
 * PTRACE_O_EXITKILL it kills the program when the thread that started it ends, by a signal, SIGKILL included,
 * or otherwise. A stopped program that nobody resumes would hold its pipes, and whoever waits for them, for
 * ever.
 */
#include "native/process/spawn.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/base/unique_fd.h"

namespace mapscope {

namespace {

std::vector<char *> Pointers(const std::vector<std::string> &strings) {
    std::vector<char *> pointers;
    for (const std::string &string : strings)
        pointers.push_back(const_cast<char *>(string.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

/* The child's ends of two pipes. */
struct ChildPipes {
    int traced; /* a byte comes when it is traced; the end, when its parent has ended before that */
    int report; /* takes the errno of an execve() that failed */
    int parent; /* the parent's end of `traced`, which the child has as well */
};

/*
 * Runs between fork() and execve(). Another thread of Node may have held any lock at the fork, so only
 * async-signal-safe functions here: no memory is allocated.
 */
[[noreturn]] void RunChild(const char *file, char *const *arguments, char *const *environment,
                           ChildPipes pipes) {
    /* An ignored signal stays ignored across execve(), and Node ignores SIGPIPE. */
    struct sigaction by_default = {};
    by_default.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &by_default, nullptr); /* fails for SIGKILL and the like, which is fine */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);

    /* Node marks its standard streams close-on-exec and may have made them non-blocking: both are undone. */
    for (int fd = 0; fd <= 2; fd++) {
        fcntl(fd, F_SETFD, 0);
        const int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK))
            fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);

    close(pipes.parent); /* or the end would never come */
    char byte;
    if (read(pipes.traced, &byte, 1) != 1)
        _exit(127);
    execve(file, arguments, environment);
    const int error = errno;
    [[maybe_unused]] const ssize_t written = write(pipes.report, &error, sizeof(error));
    _exit(127);
}

pid_t Fork(const Program &program, ChildPipes pipes) {
    const auto arguments = Pointers(program.arguments);
    const auto environment = Pointers(program.environment);
    /* Blocked across the fork, so that no handler of Node's runs in the child. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0)
        RunChild(program.file.c_str(), arguments.data(), environment.data(), pipes);
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return pid;
}

pid_t Wait(pid_t pid, int &status, int options) {
    pid_t result;
    do
        result = waitpid(pid, &status, options);
    while (result < 0 && errno == EINTR);
    return result;
}

/* ptrace() takes a signal number where it takes a pointer. */
void *AsPointer(int signal) { return reinterpret_cast<void *>(static_cast<intptr_t>(signal)); }

/*
 * Waits for the stop in which a traced process ends its execve(), before any instruction of the new program.
 * With PTRACE_SEIZE nothing else is changed for the process: no SIGTRAP is sent, and signals are handed on.
 */
bool ReachesExec(pid_t pid, int &status) {
    while (Wait(pid, status, 0) == pid && WIFSTOPPED(status)) {
        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXEC << 8)))
            return true;
        /* Some signal came first (Ctrl-C, say): handed on, for it would be lost otherwise. */
        ptrace(PTRACE_CONT, pid, nullptr, AsPointer(WSTOPSIG(status)));
    }
    return false;
}

/* For a child that has ended early, and has been waited for. */
Failure ExplainEnd(const std::string &attempted, const UniqueFd &report, int status) {
    int error = 0;
    if (read(report.get(), &error, sizeof(error)) == sizeof(error))
        return SystemFailure(attempted, error);
    if (WIFSIGNALED(status))
        return {attempted + ": signal " + std::to_string(WTERMSIG(status)) + " ended it at its start",
                "ECANCELED"};
    return {attempted + ": it ended before it could be stopped", "ECANCELED"};
}

} // namespace

Result<pid_t> SpawnStopped(const Program &program) {
    const std::string attempted = "cannot start " + program.file;
    int traced[2], report[2];
    if (pipe2(traced, O_CLOEXEC) < 0)
        return SystemFailure(attempted, errno);
    UniqueFd traced_child(traced[0]), traced_parent(traced[1]);
    if (pipe2(report, O_CLOEXEC) < 0)
        return SystemFailure(attempted, errno);
    UniqueFd report_parent(report[0]), report_child(report[1]);
    const pid_t pid = Fork(program, {traced_child.get(), report_child.get(), traced_parent.get()});
    if (pid < 0)
        return SystemFailure(attempted, errno);
    traced_child.Close();
    report_child.Close(); /* the child's copy is then the only one, so that reading ends */

    int status = 0;
    const uintptr_t options = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, pid, nullptr, reinterpret_cast<void *>(options)) < 0) {
        const int error = errno;
        traced_parent.Close(); /* the child ends by itself */
        Wait(pid, status, 0);
        Failure failure = SystemFailure(attempted + " under ptrace", error);
        if (error == EPERM)
            failure.sentence += " (a tracer of mapscope, such as strace or gdb, a seccomp filter or a "
                                "security module forbids it)";
        return failure;
    }
    [[maybe_unused]] const ssize_t written = write(traced_parent.get(), "", 1);
    if (ReachesExec(pid, status))
        return pid;
    return ExplainEnd(attempted, report_parent, status);
}

/* By the thread that has started it: the kernel knows that one as the tracer. */
Status Resume(pid_t pid) {
    if (ptrace(PTRACE_DETACH, pid, nullptr, nullptr) < 0)
        return SystemFailure("cannot resume process " + std::to_string(pid), errno);
    return {};
}

} // namespace mapscope
