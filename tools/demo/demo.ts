import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../src/report/summary/schema.ts';
import { commandLine, ROOT } from '../../test/support/command.ts';
import { startReceiver } from '../../test/support/otlp-receiver/receiver.ts';
import { demoReport } from './report.ts';

const COMPILER = 'node_modules/@typescript/typescript-linux-x64/lib/tsc';
const ARGUMENTS = ['-p', 'tsconfig.json'];

/** Columns where nobody says how many there are. */
const USUAL_COLUMNS = 100;

/** Runs the main job on something real: TypeScript's compiler, a stripped Go program, checking mapscope's own sources. */
async function demo(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-demo-'));
  const receiver = await startReceiver();
  const command = [COMPILER, ...ARGUMENTS].join(' ');
  say(`mapscope run --mode all --otlp-endpoint ${receiver.endpoint} \\\n  -- ${command}`);
  try {
    const output = join(folder, 'summary.json');
    const status = await observe(receiver.endpoint, output);
    if (status !== 0) {
      return status;
    }
    const summary: Summary = JSON.parse(readFileSync(output, 'utf8'));
    const { endpoint } = receiver;
    const width = process.stdout.columns || USUAL_COLUMNS;
    say(demoReport({ summary, received: receiver.summary(), endpoint }, width, process.stdout));
    return 0;
  } finally {
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs mapscope as a user would. @returns its exit status */
function observe(endpoint: string, output: string): Promise<number> {
  const options = ['--mode', 'all', '--format', 'json', '--output', output, '--otlp-endpoint', endpoint];
  const [file, ...args] = commandLine('run', ...options, '--', COMPILER, ...ARGUMENTS);
  const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await demo();
