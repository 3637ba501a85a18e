import { statSync } from 'node:fs';
import { messageOf } from '../../base/errors.ts';
import { addon } from '../../kernel/addon.ts';
import { objectPath } from '../../kernel/object-path.ts';

/** The inode of the initial pid namespace (PROC_PID_INIT_INO, include/linux/proc_ns.h). */
const INITIAL_NAMESPACE = 0xeffffffcn;

/** The watch for programs that are executed, or why there is none. */
export type ExecWatch = { readonly stop: () => void } | { readonly refusal: string };

/**
 * Has the kernel tell of every execve on this machine, by a program at its tracepoint: of processes in our pid namespace, and in
 * the initial one of all. Processes of namespaces below another one are not told of, for the kernel's program does not know
 * what we call them: whoever calls this has to look for those, and for what forks without executing, from time to time.
 *
 * @param executed gets the processes that have executed something, some ten times a second at most
 * @param lost is called when events may have been lost
 */
export function watchExecs(executed: (pids: readonly number[]) => void, lost: () => void): ExecWatch {
  try {
    const { dev, ino } = statSync('/proc/self/ns/pid', { bigint: true });
    const options = { device: dev, inode: ino, isInitial: ino === INITIAL_NAMESPACE };
    const stop = addon.watchExecs(objectPath('exec'), options, (pids, isComplete) => {
      executed(pids);
      if (!isComplete) {
        lost();
      }
    });
    return { stop };
  } catch (error) {
    return { refusal: messageOf(error) };
  }
}
