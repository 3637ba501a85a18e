import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** The machine that figures were taken on: without it they mean nothing. */
export interface Environment {
  readonly kernel: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly virtualMachine: boolean;
  readonly node: string;
  /** The toolchain that built the services. */
  readonly go: string;
  readonly date: string;
}

export function environment(): Environment {
  const info = readFileSync('/proc/cpuinfo', 'utf8');
  return {
    kernel: release(),
    cpu: cpus()[0]?.model ?? '?',
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    virtualMachine: /^flags.*\bhypervisor\b/m.test(info),
    node: process.version,
    go: execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim(),
    date: new Date().toISOString().slice(0, 10),
  };
}
