import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/report/summary/schema.ts';
import { summaryTable } from '../../src/report/table/table.ts';
import { startReceiver } from '../../test/support/otlp-receiver/receiver.ts';
import type { ReceivedSummary } from '../../test/support/otlp-receiver/summary.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMPILER = 'node_modules/@typescript/typescript-linux-x64/lib/tsc';
const ARGUMENTS = ['-p', 'tsconfig.json'];

/** Runs the main job on something real: TypeScript's compiler, a stripped Go program, checking mapscope's own sources. */
async function demo(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-demo-'));
  const receiver = await startReceiver();
  const command = [COMPILER, ...ARGUMENTS].join(' ');
  say(`mapscope run --mode all --otlp-endpoint ${receiver.endpoint} -- ${command}`);
  try {
    const output = join(folder, 'summary.json');
    const status = await observe(receiver.endpoint, output);
    if (status !== 0) {
      return status;
    }
    const summary: Summary = JSON.parse(readFileSync(output, 'utf8'));
    const width = process.stdout.columns;
    say(summaryTable(summary, { top: 12, stream: process.stdout, ...(width !== undefined && { width }) }));
    say(received(receiver.summary(), receiver.endpoint));
    return 0;
  } finally {
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs mapscope as a user would. @returns its exit status */
function observe(endpoint: string, output: string): Promise<number> {
  const options = ['--mode', 'all', '--format', 'json', '--output', output, '--otlp-endpoint', endpoint];
  const args = ['src/cli/main.ts', 'run', ...options, '--', COMPILER, ...ARGUMENTS];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function received(summary: ReceivedSummary, endpoint: string): string {
  const lines = [`What the OTLP receiver at ${endpoint} got:`];
  for (const { name, unit, points } of summary.metrics) {
    lines.push(`  ${name.padEnd(32)} ${unit.padEnd(14)} ${points} points`);
  }
  lines.push('of the resource');
  for (const [name, value] of Object.entries(summary.resource)) {
    lines.push(`  ${name.padEnd(32)} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await demo();
