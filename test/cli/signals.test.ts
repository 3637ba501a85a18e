// What a signal does to a command, at a terminal and without one.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandLine, ROOT } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';
import { mapscope, Started } from './started.ts';

const LIMIT = { timeout: 120_000 };
const CTRL_C = '\x03';
const folder = mkdtempSync(join(tmpdir(), 'mapscope-signals-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const service = await buildGo({
  dir: fileURLToPath(new URL('../services/signals', import.meta.url)),
  version: 'local',
});

/**
 * At a terminal of its own, whose keys are this process's writes to stdin. script(1) starts a shell: whichever it is, mapscope
 * takes its place, because a shell that gets the same Ctrl-C may end with a status of its own.
 */
function atTerminal(...args: readonly string[]): Started {
  const command = ['exec', ...commandLine(...args)].join(' ');
  return new Started('script', ['-qefc', command, '/dev/null']);
}

/** Part of the line that lives on a terminal while something is observed. */
const LIVE = 'lookups';

function timesReceived({ text }: Started): number {
  return text.match(/received/g)?.length ?? 0;
}

for (const verb of ['run', 'verify']) {
  test(`${verb}: Ctrl-C reaches the program once, and its end is followed by the report`, LIMIT, async () => {
    const command = atTerminal(verb, '--', service);
    await command.says('ready');
    command.child.stdin?.write(CTRL_C);
    assert.equal(await command.ended(), 0);
    assert.match(command.text, /received interrupt.*over.*(Cost:|agree)/s);
    assert.equal(timesReceived(command), 1, command.text);
  });
}

test(
  'run: a terminal that hangs up reaches the program once, and the report is in its file',
  LIMIT,
  async (t) => {
    const own = mkdtempSync(join(folder, 'hang-up-'));
    t.after(() => rmSync(own, { recursive: true }));
    const [output, said] = [join(own, 'report.json'), join(own, 'said')];
    const command = atTerminal('run', '--format', 'json', '--output', output, '--', service, '>', said);
    await until(() => readText(said).includes('ready'), 'the program runs');
    command.child.kill('SIGKILL');
    await until(() => existsSync(output), 'the report is written');
    assert.equal(JSON.parse(readFileSync(output, 'utf8')).target.exitCode, 0);
    assert.equal(readText(said), 'ready\nreceived hangup\nover\n');
  },
);

/** Nothing where there is no such file yet. */
function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

test(
  'run: a signal after the end of the program is for mapscope, and for nobody who has its id now',
  LIMIT,
  async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const command = mapscope('run', '--otlp-endpoint', endpoint, '--', service);
    await command.says('ready');
    const connected = once(silent, 'connection');
    command.child.kill('SIGTERM');
    await command.says('over');
    await connected;
    // timeout(1) sends two at once: what comes half a second later is another one.
    const pressing = setInterval(() => command.child.kill('SIGTERM'), 1000);
    assert.equal(await command.ended(), 128 + constants.signals.SIGTERM);
    clearInterval(pressing);
    assert.match(command.text, /SIGTERM has ended mapscope before the report was written\./);
    assert.equal(timesReceived(command), 1);
    silent.close();
  },
);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`run: ${signal} that a process sends to mapscope alone is handed on`, LIMIT, async () => {
    const command = mapscope('run', '--', service);
    await command.says('ready');
    command.child.kill(signal);
    assert.equal(await command.ended(), 0);
    assert.equal(timesReceived(command), 1, command.text);
  });
}

test('attach: the first Ctrl-C asks for the report, and two at once are one', LIMIT, async () => {
  const target = new Started(service, []);
  await target.says('ready');
  const command = atTerminal('attach', '--mode', 'all', '--pid', String(target.child.pid));
  await command.says(LIVE);
  command.child.stdin?.write(CTRL_C + CTRL_C);
  assert.equal(await command.ended(), 0);
  assert.match(command.text, /main\.go/);
  assert.equal(timesReceived(target), 0);
  target.child.kill('SIGKILL');
});

test('attach: a second Ctrl-C ends mapscope at once', LIMIT, async () => {
  const target = new Started(service, []);
  await target.says('ready');
  // It takes connections and never answers: the last export waits for it.
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const command = atTerminal('attach', '--otlp-endpoint', endpoint, '--pid', String(target.child.pid));
  await command.says(LIVE);
  let presses = 0;
  const pressing = setInterval(() => {
    presses++;
    command.child.stdin?.write(CTRL_C);
  }, 1000);
  assert.equal(await command.ended(), 128 + constants.signals.SIGINT);
  clearInterval(pressing);
  assert.ok(presses <= 3, `${presses}`);
  assert.match(command.text, /SIGINT has ended mapscope before the report was written\./);
  silent.close();
  target.child.kill('SIGKILL');
});

test(
  'attach: a signal before anything is observed ends mapscope, and leaves nothing behind',
  LIMIT,
  async () => {
    const target = new Started(service, []);
    await target.says('ready');
    const output = join(folder, 'early.txt');
    const command = mapscope('attach', '--output', output, '--pid', String(target.child.pid));
    await until(() => readdirSync(folder).some((name) => name.startsWith('.early')), 'the file is open');
    command.child.kill('SIGINT');
    assert.equal(await command.ended(), 128 + constants.signals.SIGINT);
    assert.match(command.text, /^mapscope: SIGINT has ended mapscope before anything was observed\.$/m);
    assert.deepEqual(readdirSync(folder), []);
    assert.equal(existsSync(output), false);
    target.child.kill('SIGKILL');
  },
);

/** Runs a script in which `signals` listens, and sends it SIGINT where it says so. */
async function scripted(script: string): Promise<Started> {
  const file = join(folder, 'signals.ts');
  writeFileSync(
    file,
    `import { EndingSignals } from ${JSON.stringify(join(ROOT, 'src/cli/signals.ts'))};
     const signals = new EndingSignals();
     // A listener for signals does not keep Node alive.
     setInterval(() => {}, 1000);
     const interrupt = async () => {
       process.kill(process.pid, 'SIGINT');
       await new Promise((resolve) => process.once('SIGINT', () => setImmediate(resolve)));
     };
     ${script}
     process.exit();`,
  );
  const started = new Started(process.execPath, [file]);
  await started.ended();
  return started;
}

test('a signal while probes go in waits until they are in', LIMIT, async () => {
  const attached = await scripted(`
    signals.attaching();
    await interrupt();
    console.log(signals.isAsked);
    await signals.observing();
    console.log('over');`);
  assert.equal(attached.text, 'true\nover\n');
  const started = await scripted(`
    signals.attaching();
    await interrupt();
    try { signals.throwIfAsked(); } catch (error) { console.log(error.exitStatus, error.message); }`);
  assert.equal(started.text, '130 SIGINT has ended mapscope before the program ran.\n');
  const early = await scripted('await interrupt();');
  assert.equal(early.text, 'mapscope: SIGINT has ended mapscope before anything was observed.\n');
});

test('where Node does not come to its end, mapscope does, with its status', LIMIT, async () => {
  const file = join(folder, 'hangs.ts');
  writeFileSync(
    file,
    `import { exitNow } from ${JSON.stringify(join(ROOT, 'src/cli/exit.ts'))};
     process.on('exit', () => {
       console.log('ends');
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });
     exitNow(5);`,
  );
  const started = new Started(process.execPath, [file]);
  assert.equal(await started.ended(), 5);
  assert.equal(started.text, 'ends\n');
});
