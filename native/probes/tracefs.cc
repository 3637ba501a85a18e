/* Trace events for uprobes; see tracefs.h. */
#include "native/probes/tracefs.h"

#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mapscope {

namespace {

constexpr char kGroup[] = "mapscope";

/* When a process has started, in ticks since the machine has; 0 when there is none. */
uint64_t StartOf(const std::string &pid) {
    char text[1024] = {};
    const UniqueFd file(open(("/proc/" + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || read(file.get(), text, sizeof(text) - 1) <= 0)
        return 0;
    /* proc_pid_stat(5): field 22; field 2, the name, ends with the last parenthesis. */
    const char *at = strrchr(text, ')');
    for (int field = 3; at != nullptr && field <= 22; field++)
        at = strchr(at + 1, ' ');
    return at == nullptr ? 0 : strtoull(at + 1, nullptr, 10);
}

/* Tells processes of other containers, whose numbers mean other ones here. */
uint64_t PidNamespace() {
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

Status Command(const UniqueFd &tracefs, const std::string &command) {
    /* Never truncated: that would remove all events of the machine. */
    const UniqueFd file(openat(tracefs.get(), "uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!file || write(file.get(), command.data(), command.size()) < 0)
        return SystemFailure("cannot define trace events", errno);
    return {};
}

/* What nobody will remove any more. What is in use after all the kernel keeps. */
void RemoveLeftovers(const UniqueFd &tracefs) {
    UniqueFd descriptor(openat(tracefs.get(), "uprobe_events", O_RDONLY | O_CLOEXEC));
    const std::unique_ptr<FILE, int (*)(FILE *)> file(
        descriptor ? fdopen(descriptor.Release(), "r") : nullptr, fclose);
    std::vector<std::string> left;
    char line[4200];
    while (file && fgets(line, sizeof(line), file.get())) {
        char name[64];
        uint64_t pid_namespace, start;
        int pid;
        if (sscanf(line, "p:mapscope/%63s", name) == 1 &&
            sscanf(name, "n%" SCNu64 "_p%d_s%" SCNu64 "_", &pid_namespace, &pid, &start) == 3 &&
            pid_namespace == PidNamespace() && StartOf(std::to_string(pid)) != start)
            left.emplace_back(name);
    }
    for (const std::string &name : left)
        RemoveUprobeEvent(tracefs, name);
}

} // namespace

Result<UniqueFd> OpenTracefs() {
    const std::string attempted = "cannot mount the file system of trace events";
    const UniqueFd context(static_cast<int>(syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC)));
    if (!context || syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return SystemFailure(attempted, errno);
    UniqueFd tracefs(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
    if (!tracefs)
        return SystemFailure(attempted, errno);
    RemoveLeftovers(tracefs);
    return tracefs;
}

std::string NewTraceEventName() {
    static std::atomic<unsigned> count;
    char name[64]; /* as many as the kernel takes */
    snprintf(name, sizeof(name), "n%" PRIu64 "_p%d_s%" PRIu64 "_%u", PidNamespace(), getpid(),
             StartOf("self"), count++);
    return name;
}

Result<uint64_t> DefineUprobeEvent(const UniqueFd &tracefs, const std::string &name, const std::string &path,
                                   uint64_t offset) {
    const std::string definition = std::string("p:") + kGroup + "/" + name + " " + path + ":" + Hex(offset);
    if (Status failure = Command(tracefs, definition + "\n"))
        return *failure;
    char text[32] = {};
    const std::string id = std::string("events/") + kGroup + "/" + name + "/id";
    const UniqueFd file(openat(tracefs.get(), id.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file || read(file.get(), text, sizeof(text) - 1) <= 0) {
        const int error = errno;
        RemoveUprobeEvent(tracefs, name);
        return SystemFailure("cannot read the number of a trace event", error);
    }
    return strtoull(text, nullptr, 10);
}

void RemoveUprobeEvent(const UniqueFd &tracefs, const std::string &name) {
    Command(tracefs, std::string("-:") + kGroup + "/" + name + "\n");
}

} // namespace mapscope
