import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run as runCommand } from '../../tools/package/run.ts';
import { packed } from '../install/packed.ts';
import type { Measured, Part, Run } from './part.ts';

/** One way to install mapscope. */
interface Way {
  readonly name: string;
  readonly command: string;
  /** Bytes of what is fetched, and on disk; of the npm package without Node. */
  readonly fetched: number;
  readonly unpacked: number;
}

interface Cost {
  readonly way: Way;
  /** Milliseconds to the first byte of output: medians. */
  readonly version: number;
  readonly doctor: number;
}

/** How long it takes until mapscope says something, however it is installed, and how large it is. */
export const installed: Part = {
  name: 'installed',
  title: 'As installed',
  measure: async (run: Run): Promise<Measured> => {
    const costs: Cost[] = [];
    for (const way of await ways(run)) {
      const rounds = run.quick ? 5 : 21;
      costs.push({
        way,
        version: await median(rounds, () => firstOutput(way.command, ['--version'])),
        doctor: await median(rounds, () => firstOutput(way.command, ['doctor'])),
      });
    }
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    return {
      figures: Object.fromEntries(
        costs.map(({ way, version }) => [`start_ms_${way.name.replaceAll(' ', '_')}`, Math.round(version)]),
      ),
      details: costs,
      report: {
        head: [
          'installed as',
          'MB to fetch',
          'MB on disk',
          '`--version`: ms to the first output',
          '`doctor`: ms',
        ],
        rows: costs.map(({ way, version, doctor }) => [
          way.name,
          megabytes(way.fetched),
          megabytes(way.unpacked),
          version.toFixed(0),
          doctor.toFixed(0),
        ]),
        remarks: [
          'The npm package without Node, which is 150 MB on disk; the image as an archive. `doctor` loads every BPF program before it says anything.',
        ],
      },
    };
  },
};

async function ways(run: Run): Promise<Way[]> {
  const { npm, oneFile, image } = await packed();
  const prefix = await mkdtemp(join(tmpdir(), 'mapscope-installed-'));
  run.after(() => rm(prefix, { recursive: true, force: true }));
  await runCommand('npm', ['install', '--global', '--prefix', prefix, '--ignore-scripts', npm]);
  const onDisk = await runCommand('du', [
    '-sb',
    '--exclude=node_modules',
    join(prefix, 'lib/node_modules/mapscope'),
  ]);
  return [
    {
      name: 'npm package',
      command: join(prefix, 'bin/mapscope'),
      fetched: (await stat(npm)).size,
      unpacked: Number.parseInt(onDisk, 10),
    },
    {
      name: 'one file',
      command: oneFile,
      fetched: (await stat(oneFile)).size,
      unpacked: (await stat(oneFile)).size,
    },
    {
      name: 'image',
      command: oneFile,
      fetched: (await stat(image)).size,
      unpacked: (await stat(oneFile)).size,
    },
  ];
}

async function firstOutput(command: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const millis = performance.now() - start;
  child.stdout.resume();
  await once(child, 'close');
  return millis;
}

async function median(rounds: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round++) {
    values.push(await measure());
  }
  return values.sort((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}
