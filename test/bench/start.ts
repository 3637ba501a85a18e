import { commandLine } from '../support/command.ts';
import { timed } from '../support/timed.ts';
import type { Measured, Part, Run } from './part.ts';
import { median } from './statistics.ts';

/** Commands that a person waits for. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  version: ['--version'],
  help: ['attach', '--help'],
  completion: ['completion', 'bash'],
  'go-processes': ['go-processes'],
  doctor: ['doctor'],
};

/** Node.js by itself, which nobody can be faster than. */
const NODE: readonly string[] = [process.execPath, '-e', '0'];

interface Times {
  readonly wall: number[];
  readonly cpu: number[];
}

/** How long it takes until commands have ended that observe nothing, in turns, and Node.js that does nothing. */
export const start: Part = {
  name: 'start',
  title: 'Milliseconds that commands take which observe nothing',
  measure: async ({ quick }: Run): Promise<Measured> => {
    const commands = Object.entries(COMMANDS).map(([name, args]) => [name, commandLine(...args)] as const);
    const all = [['Node.js alone', NODE] as const, ...commands];
    const times = new Map<string, Times>(all.map(([name]) => [name, { wall: [], cpu: [] }]));
    for (let turn = 0; turn <= (quick ? 5 : 25); turn++) {
      for (const [name, words] of all) {
        const { wall, cpu } = await timed(words);
        // The first turn fills caches.
        if (turn > 0) {
          times.get(name)?.wall.push(1000 * wall);
          times.get(name)?.cpu.push(1000 * cpu);
        }
      }
    }
    const rows = [...times].map(([name, { wall, cpu }]) => [
      name,
      ...[median(wall), Math.min(...wall), Math.max(...wall), median(cpu)].map((ms) => ms.toFixed(0)),
    ]);
    const figures = { doctor_millis: median(times.get('doctor')?.wall ?? []) };
    return {
      figures,
      details: Object.fromEntries(times),
      report: { head: ['', 'median', 'least', 'most', 'CPU time'], rows, remarks: [] },
    };
  },
};
