/* The system calls of a mapscope that observes, the one source of the profile and of what the tests run it under. */

/** Calls with one purpose. */
interface Purpose {
  readonly purpose: string;
  readonly calls: readonly string[];
}

/**
 * What the C library, Node and the addon do on x86-64. `run` and `verify -- PROGRAM` need `ptrace` besides, to start a program. io_uring is not
 * among them: Node tries it, and does without.
 */
export const SYSTEM_CALLS: readonly Purpose[] = [
  {
    purpose: 'BPF programs, their maps and links, and perf events on kernels without such links',
    calls: ['bpf', 'perf_event_open', 'ioctl'],
  },
  {
    purpose: 'memory and ends of other processes, as far as capabilities allow',
    calls: ['process_vm_readv', 'pidfd_open', 'kill'],
  },
  {
    purpose: 'windows: priority and pauses',
    calls: [
      ...['sched_setattr', 'sched_getattr', 'sched_getparam', 'sched_getscheduler', 'sched_setscheduler'],
      ...['sched_getaffinity', 'sched_yield', 'clock_nanosleep', 'nanosleep'],
    ],
  },
  {
    purpose: 'files: /proc, executables, settings, reports, the queue',
    calls: [
      ...[
        'openat',
        'open',
        'close',
        'read',
        'pread64',
        'readv',
        'preadv',
        'write',
        'pwrite64',
        'writev',
        'pwritev',
      ],
      ...[
        'lseek',
        'fstat',
        'stat',
        'lstat',
        'newfstatat',
        'statx',
        'statfs',
        'fstatfs',
        'access',
        'faccessat',
      ],
      ...[
        'faccessat2',
        'readlink',
        'readlinkat',
        'getdents64',
        'getcwd',
        'fcntl',
        'flock',
        'ftruncate',
        'fallocate',
      ],
      ...[
        'fsync',
        'fdatasync',
        'rename',
        'renameat',
        'renameat2',
        'unlink',
        'unlinkat',
        'mkdir',
        'mkdirat',
        'rmdir',
      ],
      ...['dup', 'dup2', 'dup3', 'pipe', 'pipe2', 'umask', 'memfd_create', 'fadvise64'],
    ],
  },
  {
    purpose: 'the network, for exports and the page',
    calls: [
      ...[
        'socket',
        'socketpair',
        'connect',
        'bind',
        'listen',
        'accept',
        'accept4',
        'shutdown',
        'getsockname',
      ],
      ...['getpeername', 'getsockopt', 'setsockopt', 'sendto', 'sendmsg', 'sendmmsg', 'recvfrom', 'recvmsg'],
    ],
  },
  {
    purpose: 'waiting',
    calls: [
      ...['epoll_create1', 'epoll_ctl', 'epoll_wait', 'epoll_pwait', 'poll', 'ppoll', 'eventfd2', 'futex'],
      ...['restart_syscall'],
    ],
  },
  {
    purpose: 'memory, threads, and the process that plans',
    calls: [
      ...['mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk', 'membarrier', 'pkey_alloc', 'pkey_free'],
      ...[
        'pkey_mprotect',
        'clone',
        'clone3',
        'vfork',
        'execve',
        'wait4',
        'waitid',
        'exit',
        'exit_group',
        'prctl',
      ],
      ...[
        'arch_prctl',
        'set_tid_address',
        'set_robust_list',
        'rseq',
        'prlimit64',
        'rt_sigaction',
        'rt_sigprocmask',
      ],
      ...['rt_sigreturn', 'sigaltstack', 'tgkill', 'setsid'],
    ],
  },
  {
    purpose: 'clocks, and what is asked of this process and machine',
    calls: [
      ...[
        'clock_gettime',
        'clock_getres',
        'gettimeofday',
        'time',
        'getpid',
        'getppid',
        'gettid',
        'getuid',
        'geteuid',
      ],
      ...['getgid', 'getegid', 'capget', 'getrusage', 'getrandom', 'sysinfo', 'uname', 'getcpu'],
    ],
  },
];

const EPERM = 1;

/** otel-config/kubernetes/seccomp.json: an allow list as container engines and kubelets read it. */
export function seccompProfile(): string {
  return `${JSON.stringify(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: EPERM,
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: SYSTEM_CALLS.map(({ purpose, calls }) => ({
        comment: purpose,
        names: calls,
        action: 'SCMP_ACT_ALLOW',
      })),
    },
    undefined,
    2,
  )}\n`;
}
