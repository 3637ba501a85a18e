import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { startCommand } from '../support/command.ts';

/** `mapscope attach`, which observes when this resolves. */
export async function attach(pid: number, mode: string) {
  const args = ['attach', '--pid', String(pid), '--mode', mode, '--format', 'json', '--budget', '50%'];
  const child = startCommand(args);
  const said = text(child.stderr);
  const report = text(child.stdout);
  const ended = once(child, 'close');
  await observes(child);
  return {
    get isRunning(): boolean {
      return child.exitCode === null && child.signalCode === null;
    },
    /** Ends the observation. The reports of the images, in order. */
    stop: async () => {
      child.kill('SIGINT');
      const [status] = await ended;
      assert.equal(status, 0, await said);
      return { reports: reportsIn(await report), stderr: await said };
    },
  };
}

/** Waits until the process holds a link to the kernel: something is loaded, and soon attached. */
async function observes(child: ChildProcess): Promise<void> {
  const files = () => readdirSync(`/proc/${child.pid}/fd`).map((fd) => linkOf(`/proc/${child.pid}/fd/${fd}`));
  const linkOf = (path: string) => {
    try {
      return readlinkSync(path);
    } catch {
      return '';
    }
  };
  while (!files().some((file) => file.includes('bpf-prog') || file.includes('bpf_link'))) {
    await wait(20);
  }
}

/** Of one image the report itself, of several one document that holds them. */
export function reportsIn(output: string): readonly Summary[] {
  const document = JSON.parse(output);
  return (document.targets ?? [document]).map(checkSummary);
}

/** Whether the kernel has put breakpoints into a process: it gives it a page to step over instructions in. */
export function hasBreakpoints(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('[uprobes]');
}
