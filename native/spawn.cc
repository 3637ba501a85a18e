/*
 * Starts a program that stands still before its first instruction.
 *
 * Probes must be in place before the program runs, but the file can only be probed for a process once the
 * process maps it, that is after execve(). Nothing but ptrace stops a process just there. Once it stands, the
 * ptrace stop is exchanged for an ordinary SIGSTOP, so that a debugger, or the next tool, finds an untraced
 * process.
 */
#include "process.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stopped_children.h"
#include "unique_fd.h"

namespace mapscope {

namespace {

/* What the child reports when it gets no further. */
struct ChildError {
    enum Stage : int { kTrace, kExecute } stage;
    int error_number;
};

std::vector<char *> Pointers(const std::vector<std::string> &strings) {
    std::vector<char *> pointers;
    for (const std::string &string : strings)
        pointers.push_back(const_cast<char *>(string.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

[[noreturn]] void ReportAndExit(int pipe, ChildError::Stage stage) {
    const ChildError report = {stage, errno};
    [[maybe_unused]] const ssize_t written = write(pipe, &report, sizeof(report));
    _exit(127);
}

/*
 * Runs between fork() and execve(). Another thread of Node may have held any lock at the fork, so only
 * async-signal-safe functions here: no memory is allocated.
 */
[[noreturn]] void RunChild(const char *file, char *const *arguments, char *const *environment, int pipe) {
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

    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0)
        ReportAndExit(pipe, ChildError::kTrace);
    execve(file, arguments, environment);
    ReportAndExit(pipe, ChildError::kExecute);
}

pid_t Fork(const Program &program, int pipe) {
    const auto arguments = Pointers(program.arguments);
    const auto environment = Pointers(program.environment);
    /* Blocked across the fork, so that no handler of Node's runs in the child. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    if (pid == 0)
        RunChild(program.file.c_str(), arguments.data(), environment.data(), pipe);
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

/* Waits for the SIGTRAP that execve() sends to a traced process; it is delivered before any instruction. */
bool ReachesExec(pid_t pid, int &status) {
    while (Wait(pid, status, 0) == pid && WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == SIGTRAP)
            return true;
        /* Some other signal came first (Ctrl-C, say): handed on, for it would be lost otherwise. */
        ptrace(PTRACE_CONT, pid, nullptr, AsPointer(WSTOPSIG(status)));
    }
    return false;
}

/* From traced to stopped. The waitpid() is what makes sure: it returns when every thread stands. */
bool ExchangeStop(pid_t pid, int &status) {
    return ptrace(PTRACE_DETACH, pid, nullptr, AsPointer(SIGSTOP)) == 0 &&
           Wait(pid, status, WUNTRACED) == pid && WIFSTOPPED(status);
}

/* For a child that has ended early, and has been waited for. */
Failure ExplainEnd(const std::string &attempted, const UniqueFd &report_pipe, int status) {
    ChildError report = {};
    if (read(report_pipe.get(), &report, sizeof(report)) == sizeof(report))
        return SystemFailure(report.stage == ChildError::kTrace ? attempted + " under ptrace" : attempted,
                             report.error_number);
    if (WIFSIGNALED(status))
        return {attempted + ": signal " + std::to_string(WTERMSIG(status)) + " ended it at its start",
                "ECANCELED"};
    return {attempted + ": it ended before it could be stopped", "ECANCELED"};
}

} // namespace

Result<pid_t> SpawnStopped(const Program &program) {
    const std::string attempted = "cannot start " + program.file;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return SystemFailure(attempted, errno);
    const UniqueFd report_pipe(ends[0]);
    UniqueFd child_end(ends[1]);
    const pid_t pid = Fork(program, child_end.get());
    if (pid < 0)
        return SystemFailure(attempted, errno);
    child_end.Close(); /* the child's copy is then the only one, so that reading ends */

    int status = 0;
    if (ReachesExec(pid, status) && ExchangeStop(pid, status)) {
        StoppedChildren::Get().Add(pid);
        return pid;
    }
    if (WIFSTOPPED(status)) { /* it cannot be left in a state that nobody knows */
        kill(pid, SIGKILL);
        Wait(pid, status, 0);
    }
    return ExplainEnd(attempted, report_pipe, status);
}

Status Resume(pid_t pid) {
    if (kill(pid, SIGCONT) < 0)
        return SystemFailure("cannot resume process " + std::to_string(pid), errno);
    StoppedChildren::Get().Remove(pid);
    return {};
}

} // namespace mapscope
