/*
 * Attaches to and detaches from a target under full load, many times, and looks for traces of it: in what the target
 * computes, in its code, and in what this process and the kernel still hold. npm run cycles [-- --cycles 10000]
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { addon } from '../../src/kernel/addon.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { mapped } from '../support/opened.ts';

const DIGEST = join(import.meta.dirname, '../services/digest');
/** After these everything that is made once has been made. */
const WARM_UP = 20;

/** What many windows have left behind. */
export interface CyclesResult {
  readonly cycles: number;
  readonly seconds: number;
  readonly hits: number;
  /** Blocks of work that the target did meanwhile, and whether each came out as without mapscope. */
  readonly blocks: number;
  readonly outputIsTheSame: boolean;
  /** Instructions of the target that are not what they were. */
  readonly changedInstructions: number;
  /** Open files of this process by kind, more than before: BPF programs, maps and links among them. */
  readonly leakedFiles: Readonly<Record<string, number>>;
  /** Open files of the target, more than before. */
  readonly leakedTargetFiles: number;
  readonly rssGrowthMB: number;
}

export async function cycles(
  count: number,
  progress: (done: number) => void = () => {},
): Promise<CyclesResult> {
  const path = await buildGo({ dir: DIGEST, version: 'local' });
  const child = spawn(path, [], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  const output = new Output(child.stdout);
  try {
    await once(child.stdout, 'data');
    const target = mapped(pid);
    const preparation = prepare(target.binary);
    const program = await LookupProgram.load({ target, preparation, gated: true });
    let hits = 0;
    const window = async (i: number) => {
      // Windows of all lengths, from none at all to longer than the kernel takes to detach.
      const closed = await program.window({ openSeconds: (i % 10) ** 2 * 0.0002, hitLimit: 20_000 });
      hits = closed.counters.hits;
    };
    for (let i = 0; i < WARM_UP; i++) {
      await window(i);
    }
    const before = { files: openFiles(), target: targetFiles(pid), rss: process.memoryUsage().rss };
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      await window(i);
      if (i % 100 === 0) {
        progress(i);
      }
    }
    const seconds = (performance.now() - started) / 1000;
    const changed = preparation.plan.sites.filter(
      (site) =>
        !addon.readMemory(pid, BigInt(site.address + target.bias), site.bytes.length).equals(site.bytes),
    );
    const after = { files: openFiles(), target: targetFiles(pid), rss: process.memoryUsage().rss };
    child.kill('SIGTERM');
    await once(child, 'close');
    program.close();
    const blocks = output.lines;
    return {
      cycles: count,
      seconds,
      hits,
      blocks,
      outputIsTheSame: output.hash === (await outputOf(path, blocks)) && child.exitCode === 0,
      changedInstructions: changed.length,
      leakedFiles: increases(before.files, after.files),
      leakedTargetFiles: Math.max(0, after.target - before.target),
      rssGrowthMB: (after.rss - before.rss) / 2 ** 20,
    };
  } finally {
    child.kill('SIGKILL');
  }
}

/** What a program has printed: as a hash, for it is too much to keep. */
class Output {
  lines = 0;
  readonly #hash = createHash('sha256');

  constructor(stream: Readable) {
    stream.on('data', (bytes: Buffer) => {
      this.#hash.update(bytes);
      for (const byte of bytes) {
        this.lines += Number(byte === 0x0a);
      }
    });
  }

  /** To be asked for once, at the end. */
  get hash(): string {
    return this.#hash.digest('hex');
  }
}

/** What the program prints when nobody observes it. */
async function outputOf(path: string, blocks: number): Promise<string> {
  const child = spawn(path, ['-blocks', `${blocks}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = new Output(child.stdout);
  await once(child, 'close');
  return output.hash;
}

/** Open files of this process, by what they are. */
function openFiles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      // Numbers tell sockets apart, and files of /proc are this very look.
      const kind = readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, 'N');
      if (!kind.startsWith('/proc/')) {
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
    } catch {
      // Closed again meanwhile: the folder itself.
    }
  }
  return counts;
}

function targetFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function increases(before: Map<string, number>, after: Map<string, number>): Record<string, number> {
  const more = [...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const);
  return Object.fromEntries(more.filter(([, count]) => count > 0));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { cycles: { type: 'string', default: '10000' } } });
  const result = await cycles(Number(values.cycles), (done) => process.stderr.write(`\r${done} `));
  process.stdout.write(`\n${JSON.stringify(result, null, 2)}\n`);
  const { outputIsTheSame, changedInstructions, leakedFiles, leakedTargetFiles, rssGrowthMB } = result;
  const clean = changedInstructions + leakedTargetFiles + Object.keys(leakedFiles).length === 0;
  process.exitCode = outputIsTheSame && clean && rssGrowthMB < 32 ? 0 : 1;
}
