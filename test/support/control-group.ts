/* Limits of processes: control groups of the first version, or of the second where that is mounted alone. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from './service.ts';
import { until } from './until.ts';

const ROOT = '/sys/fs/cgroup';
const IS_SECOND = existsSync(join(ROOT, 'cgroup.controllers'));

/** What a group can do, and the controller that does it. */
type Controller = 'freezer' | 'cpu' | 'memory';

let count = 0;

/** A group of its own for some processes, which is gone with its owner. */
export class ControlGroup {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns undefined where this machine has no such controller, or does not let this process use it */
  static create(owner: Owner, controller: Controller): ControlGroup | undefined {
    const name = `mapscope-test-${process.pid}-${count++}`;
    const folder = IS_SECOND ? join(ROOT, name) : join(ROOT, controller, name);
    try {
      if (IS_SECOND && controller !== 'freezer') {
        writeFileSync(join(ROOT, 'cgroup.subtree_control'), `+${controller}`);
      }
      mkdirSync(folder);
    } catch {
      return undefined;
    }
    const group = new ControlGroup(folder);
    owner.after(() => group.#remove());
    return group;
  }

  add(pid: number): void {
    this.#write('cgroup.procs', String(pid));
  }

  /** Words that put a command into the group before it runs. */
  get under(): [string, ...string[]] {
    return ['sh', '-c', `echo $$ > ${join(this.#folder, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  async freeze(): Promise<void> {
    if (IS_SECOND) {
      this.#write('cgroup.freeze', '1');
      await until(() => this.#read('cgroup.events').includes('frozen 1'), 'the group is frozen');
    } else {
      this.#write('freezer.state', 'FROZEN');
      await until(() => this.#read('freezer.state').startsWith('FROZEN'), 'the group is frozen');
    }
  }

  thaw(): void {
    if (IS_SECOND) {
      this.#write('cgroup.freeze', '0');
    } else {
      this.#write('freezer.state', 'THAWED');
    }
  }

  /** @param share of one CPU */
  limitCpu(share: number): void {
    const [period, quota] = [100_000, Math.round(share * 100_000)];
    if (IS_SECOND) {
      this.#write('cpu.max', `${quota} ${period}`);
    } else {
      this.#write('cpu.cfs_quota_us', String(quota));
    }
  }

  limitMemory(megabytes: number): void {
    this.#write(IS_SECOND ? 'memory.max' : 'memory.limit_in_bytes', String(megabytes * 1_000_000));
  }

  /** Processes that were killed because there was no memory for them. */
  get kills(): number {
    const events = this.#read(IS_SECOND ? 'memory.events' : 'memory.oom_control');
    return Number(/^oom_kill (\d+)$/m.exec(events)?.[1]);
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  /** Those that are still in it go back to where there is no limit. */
  async #remove(): Promise<void> {
    const all = join(this.#folder, '../cgroup.procs');
    await until(() => {
      const left = this.#read('cgroup.procs').split('\n').filter(Boolean);
      for (const pid of left) {
        try {
          writeFileSync(all, pid);
        } catch {
          // It has ended.
        }
      }
      return left.length === 0;
    }, 'the group is empty');
    rmdirSync(this.#folder);
  }
}
