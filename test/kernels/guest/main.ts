/*
 * Runs in the emulated machine, as its only program, on each kernel of the matrix. Says how each check went, one line of JSON after
 * the other.
 */
import { readFileSync, writeSync } from 'node:fs';
import { messageOf } from '../../../src/base/errors.ts';
import { addon } from '../../../src/kernel/addon.ts';
import { concerning, KERNEL_LOG, KernelLog } from '../../runner/kernel-log.ts';
import { diagnosed, exact, killed, refused, spans, verified, whole, windows } from './checks.ts';
import { CHOICE, END, type Outcome } from './contract.ts';

const log = KernelLog.open(KERNEL_LOG);
const parameters = readFileSync('/proc/cmdline', 'utf8');
const choice = new RegExp(`\\b${CHOICE}=(\\S+)`).exec(parameters)?.[1]?.replaceAll('_', ' ') ?? '';

function say(outcome: Outcome): void {
  writeSync(1, `${JSON.stringify(outcome)}\n`);
}

async function check(name: string, body: () => Promise<string>): Promise<void> {
  if (!name.includes(choice)) {
    return;
  }
  try {
    say({ check: name, good: true, detail: await body() });
  } catch (error) {
    say({ check: name, good: false, detail: messageOf(error) });
  }
}

/** The kernel's log is looked at last, for all that came before. */
function quiet(): Outcome {
  const warnings = concerning(log.warnings());
  const detail = warnings.length === 0 ? 'no warning' : warnings.join('\n');
  return { check: "kernel's log", good: warnings.length === 0, detail };
}

const supported = await diagnosed();
say({ check: 'doctor', good: true, detail: supported ? 'supported' : 'not supported' });
if (supported) {
  await check('exact, Swiss maps', () => exact('swiss', undefined));
  await check('exact, classic maps', () => exact('classic', undefined));
  if (addon.features().uprobeMulti) {
    await check('exact, by perf events', () => exact('swiss', 'perf_event'));
  }
  await check('run, all lookups', whole);
  await check('attach, following spans', spans);
  await check('attach, in windows', windows);
  await check('verify', verified);
} else {
  await check('refused', refused);
}
say(quiet());
if (supported) {
  // The kernel says in its log what it leaves behind.
  await check('kill -9 while attaching', killed);
}
say({ check: END, good: true, detail: '' });
