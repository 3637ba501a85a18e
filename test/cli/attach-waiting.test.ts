// attach --wait and sidecar: there before their targets, and after them.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { commandLine, mapscope, ROOT } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { LookupsReceived } from '../support/otlp-receiver/lookups-received.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';
import { buildExecutes, Executes } from '../target/executes.ts';

const LONG = { timeout: 180_000 };
const folder = mkdtempSync(join(tmpdir(), 'mapscope-waiting-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A service under a name of its own, so that a rule finds these processes and no others. */
const NAME = `waited-${process.pid}`;
const SERVICE = join(folder, NAME);
before(async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  copyFileSync(await buildGo({ dir, version: 'local' }), SERVICE);
});

const RATE = ['-rate', '2000', '-goroutines', '2'];

/** A command that runs until it is stopped, and what it has said. */
class Started {
  readonly child: ChildProcess;
  said = '';
  written = '';
  readonly #ended: Promise<unknown>;

  constructor(
    t: TestContext,
    file: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.child = spawn(file, args, { cwd: ROOT, env: { ...process.env, ...env } });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.written += text;
    });
    this.#ended = once(this.child, 'close');
    t.after(() => this.end('SIGKILL'));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** @returns the exit status */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.isRunning) {
      this.child.kill(signal);
    }
    await this.#ended;
    return this.child.exitCode;
  }

  /** Waits until it has said so. */
  async says(what: string): Promise<void> {
    await until(
      () => this.said.includes(what),
      () => `it says "${what}", not:\n${this.said}`,
    );
  }
}

function observer(t: TestContext, args: readonly string[], env?: Readonly<Record<string, string>>): Started {
  const [file, ...rest] = commandLine(...args);
  return new Started(t, file, rest, env);
}
const service = (t: TestContext, ...args: string[]) => new Started(t, SERVICE, [...RATE, ...args]);

const WAIT = ['attach', '--wait', '--mode', 'all', '--format', 'json'];

/** The reports that a command has written. */
function reportsOf({ written }: Started): readonly Summary[] {
  const document = JSON.parse(written);
  return (document.targets ?? [document]).map(checkSummary);
}

test('when nothing comes until the end there is an empty report', LONG, async () => {
  const args = [...WAIT, '--exe', `no-such-${NAME}`, '--duration', '1s'];
  const { status, stdout, stderr } = await mapscope(args);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { schema: 'mapscope/summaries/v1', targets: [] });
  assert.match(stderr, /No process was observed/);
});

test('Ctrl-C ends the waiting with an empty report', LONG, async (t) => {
  const waiting = observer(t, ['attach', '--wait', '--exe', `no-such-${NAME}`]);
  await waiting.says('mapscope waits');
  assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
  assert.equal(waiting.written, '');
  assert.match(waiting.said, /No process was observed/);
});

/** Waits until a process is observed, and has made lookups since. */
async function observes(waiting: Started, pid: number): Promise<void> {
  await waiting.says(`Process ${pid} (${SERVICE}) is observed.`);
  const before = timeSlices(pid);
  await until(() => timeSlices(pid) > before + SLICES_WITH_LOOKUPS, `${pid} has made lookups`);
}

/** A goroutine makes some lookups each time it is on a CPU. */
const SLICES_WITH_LOOKUPS = 100;

/** How often the threads of a process have been on a CPU. */
function timeSlices(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce((sum, thread) => {
    const [, , slices = '0'] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(slices);
  }, 0);
}

/** Waits until the end of an observed process has been noticed. */
async function ends(
  waiting: Started,
  { pid, end }: { pid: number; end: () => Promise<unknown> },
): Promise<void> {
  await end();
  await waiting.says(`Process ${pid} (${SERVICE}) has ended.`);
}

const killed = (started: Started) => ({ pid: started.pid, end: () => started.end('SIGKILL') });

test('a service that starts later, is killed, and started again three times', LONG, async (t) => {
  const waiting = observer(t, [...WAIT, '--exe', NAME]);
  const pids: number[] = [];
  for (let i = 0; i < 4; i++) {
    const started = service(t);
    pids.push(started.pid);
    await observes(waiting, started.pid);
    await ends(waiting, killed(started));
    assert.ok(waiting.isRunning);
  }
  assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
  const reports = reportsOf(waiting);
  assert.deepEqual(
    reports.map(({ target }) => target.pid),
    pids,
  );
  assert.ok(reports.every(({ observed }) => observed.lookups > 0));
});

test('those that run, and those that come when the service is scaled out', LONG, async (t) => {
  const first = service(t);
  const waiting = observer(t, [...WAIT, '--exe', NAME]);
  await observes(waiting, first.pid);
  const others = [service(t), service(t), service(t)];
  for (const { pid } of others) {
    await observes(waiting, pid);
  }
  assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
  const pids = [first, ...others].map(({ pid }) => pid).sort();
  assert.deepEqual(
    reportsOf(waiting)
      .map(({ target }) => target.pid)
      .sort(),
    pids,
  );
});

test('a launcher that becomes the service by execve, and executes it again', LONG, async (t) => {
  // It matches from the start, when it is a shell.
  const waiting = observer(t, [...WAIT, '--command', `*${NAME}*`]);
  const launcher = new Started(t, '/bin/sh', ['-c', `read a; exec ${SERVICE} ${RATE.join(' ')}`]);
  await waiting.says('mapscope waits');
  launcher.child.stdin?.write('\n');
  await observes(waiting, launcher.pid);
  assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
  assert.deepEqual(
    reportsOf(waiting).map(({ target }) => [target.pid, target.exe]),
    [[launcher.pid, SERVICE]],
  );
  assert.doesNotMatch(waiting.said, /warning/);
});

test('rules are in order: the first that matches decides', LONG, async (t) => {
  const config = join(folder, 'order.yaml');
  const rules = [`exclude: { command: '*-goroutines 1' }`, `include: { exe: ${NAME} }`];
  writeFileSync(config, `targets:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`);
  const left = new Started(t, SERVICE, ['-rate', '2000', '-goroutines', '1']);
  const waiting = observer(t, [...WAIT, '--config', config]);
  const taken = service(t);
  await observes(waiting, taken.pid);
  assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
  assert.deepEqual(
    reportsOf(waiting).map(({ target }) => target.pid),
    [taken.pid],
  );
  assert.ok(left.isRunning && taken.isRunning);
});

test(
  'a process that executes what a rule excludes is left alone, until it executes another',
  LONG,
  async (t) => {
    const [included, excluded] = [`${SERVICE}-included`, `${SERVICE}-excluded`];
    for (const path of [included, excluded]) {
      copyFileSync(await buildExecutes(), path);
    }
    const config = join(folder, 'executes.yaml');
    const rules = [`exclude: { exe: '*-excluded' }`, `include: { exe: '${NAME}-*' }`];
    writeFileSync(config, `targets:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`);
    const waiting = observer(t, [...WAIT, '--config', config]);
    const executes = await Executes.start(t, included);
    const observedOnce = `Process ${executes.pid} (${included}) is observed.`;
    await waiting.says(observedOnce);
    await executes.execute(excluded);
    await waiting.says(`It is left alone: rule 1 (exclude exe=*-excluded).`);
    await executes.execute(included);
    await until(
      () => waiting.said.split(observedOnce).length === 3,
      () => `it is observed again: ${waiting.said}`,
    );
    assert.equal(await executes.wrongLookups(), 0);
    assert.equal(await waiting.end('SIGINT'), 0, waiting.said);
    assert.deepEqual(
      reportsOf(waiting).map(({ target }) => [target.pid, target.exe]),
      [
        [executes.pid, included],
        [executes.pid, included],
      ],
    );
  },
);

/** Runs a command as nobody, with these capabilities, and what lets it read its own files wherever they are. */
function withCapabilities(...names: readonly string[]): string[] {
  const list = ['-all', '+dac_read_search', ...names.map((name) => `+${name}`)].join(',');
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  return ['setpriv', ...user, `--inh-caps=${list}`, `--ambient-caps=${list}`];
}

test("the kernel's events take no more rights than probes", LONG, async () => {
  const args = ['attach', '--wait', '--exe', `no-such-${NAME}`, '--duration', '1s'];
  const events = await mapscope(args, { under: withCapabilities('bpf', 'perfmon') });
  assert.equal(events.status, 0);
  assert.doesNotMatch(events.stderr, /by looking only/);
  const looking = await mapscope(args, { under: withCapabilities() });
  assert.equal(looking.status, 0);
  assert.match(looking.stderr, /Processes are found by looking only, twice a second: .*not permitted/);
});

test('a sidecar that can never observe anything says so, and ends', LONG, async () => {
  const args = ['sidecar', '--exe', `no-such-${NAME}`];
  const { status, stderr } = await mapscope(args, { under: withCapabilities() });
  assert.equal(status, 3, stderr);
  assert.match(stderr, /this process cannot use BPF/);
});

const MISTAKES: readonly [args: string[], sentence: RegExp][] = [
  [['attach', '--wait'], /either --pid or --exe, --command, --port, --container, --pod-label or --go/],
  [['attach', '--wait', '--pid', '1'], /--pid names one process that runs/],
  [['attach', '--port', '0'], /--port must be a port from 1 to 65535/],
  [['attach', '--container', 'xyz'], /--container must be any, or the beginning of a container id/],
  [
    ['attach', '--exe', 'a', '--without-exclusion', 'me'],
    /--without-exclusion must name built-in exclusions: self, collectors/,
  ],
  [['sidecar'], /No rule includes a process/],
];

for (const [args, sentence] of MISTAKES) {
  test(`wrong usage: mapscope ${args.join(' ')}`, LONG, async () => {
    const { status, stderr } = await mapscope(args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, sentence);
  });
}

const WRONG_RULES: readonly [yaml: string, sentence: RegExp][] = [
  [
    'targets:\n  - include: { exee: shop }\n',
    /wrong\.yaml:2:\d+: unknown key exee in targets\[1\]\.include: did you mean exe\?/,
  ],
  [
    'targets:\n  - include: { go: true }\n  - exlude: { exe: x }\n',
    /wrong\.yaml:3:\d+: unknown key exlude in targets\[2\]: did you mean exclude\?/,
  ],
  [
    'mode: all\ntargets:\n  - include:\n      port: 99999\n',
    /wrong\.yaml:4:\d+: targets\[1\]\.include\.port must be a port .*, not 99999/,
  ],
  [
    'targets:\n  - include: {}\n',
    /wrong\.yaml:2:\d+: targets\[1\]\.include must name at least one criterion/,
  ],
  [
    'targets:\n  - include: { go: true }\n    exclude: { go: true }\n',
    /wrong\.yaml:2:\d+: targets\[1\] must have either include or exclude/,
  ],
  ['targets: shop\n', /wrong\.yaml:1:\d+: targets must be a list of rules/],
  ['withoutExclusions: [all]\n', /wrong\.yaml:1:\d+: withoutExclusions\[1\] must name built-in exclusions/],
  ['target: []\n', /wrong\.yaml:1:\d+: unknown setting target: did you mean targets\?/],
];

test('wrong rules are named with their line', LONG, async () => {
  const config = join(folder, 'wrong.yaml');
  for (const [yaml, sentence] of WRONG_RULES) {
    writeFileSync(config, yaml);
    const { status, stderr } = await mapscope(['sidecar', '--config', config]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, sentence);
  }
});

/** What a pod is for processes: they share their ids, and each has files of its own. */
class Pod {
  readonly #pause: Started;

  constructor(t: TestContext) {
    const pause = [
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      'echo ready; exec sleep infinity',
    ];
    this.#pause = new Started(t, 'unshare', pause);
  }

  async starts(): Promise<void> {
    await until(() => this.#pause.written.includes('ready'), 'the pod is there');
  }

  /** @param prepare a command of the shell, run in the file system of this container alone */
  #start(t: TestContext, prepare: string, command: readonly string[], env = {}): Started {
    const enter = ['--target', String(childOf(this.#pause.pid)), '--pid', '--', 'unshare', '--mount'];
    const script = `mount -t proc proc /proc && ${prepare} && exec "$@"`;
    return new Started(t, 'nsenter', [...enter, 'sh', '-c', script, 'sh', ...command], env);
  }

  startSidecar(t: TestContext, args: readonly string[]): Started {
    const env = { OTEL_METRIC_EXPORT_INTERVAL: '200' };
    return this.#start(t, 'true', commandLine(...args), env);
  }

  /** A service whose file no other container sees. */
  startService(t: TestContext): Started {
    const prepare = `mount -t tmpfs none /mnt && cp ${SERVICE} /mnt`;
    return this.#start(t, prepare, [`/mnt/${NAME}`, ...RATE]);
  }

  /** Sends a signal to what was started, and waits for its end. @returns the exit status */
  async end(started: Started, signal: NodeJS.Signals): Promise<number | null> {
    process.kill(childOf(started.pid), signal);
    await until(() => !started.isRunning, 'it ends');
    return started.child.exitCode;
  }
}

/** The only child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

for (const order of ['first', 'last'] as const) {
  test(
    `in a pod, the sidecar ${order}: killed and restarted three times, each process has its series`,
    LONG,
    async (t) => {
      const received = new LookupsReceived();
      const receiver = await startReceiver({ onRequest: (request) => received.take(request) });
      // Says what was broken on the way.
      t.after(() => receiver.close());
      const config = join(folder, `pod-${order}.yaml`);
      writeFileSync(
        config,
        `mode: all\notlpEndpoint: ${receiver.endpoint}\ntargets:\n  - include: { exe: ${NAME} }\n`,
      );
      const pod = new Pod(t);
      await pod.starts();
      let running = order === 'last' ? pod.startService(t) : undefined;
      const sidecar = pod.startSidecar(t, ['sidecar', '--config', config]);
      await sidecar.says(order === 'first' ? 'mapscope waits' : 'is observed.');
      const lookups = () => received.processes.map((process) => process.lookups);
      for (let i = 0; i < 4; i++) {
        running ??= pod.startService(t);
        await until(
          () => (lookups()[i] ?? 0) > 0,
          () => `lookups of process ${i + 1} arrive: ${lookups()}; ${sidecar.said}`,
        );
        await pod.end(running, 'SIGKILL');
        running = undefined;
        await until(() => sidecar.said.split('has ended.').length === i + 2, 'its end is noticed');
      }
      assert.ok(sidecar.isRunning);
      const { processes } = received;
      assert.equal(processes.length, 4);
      assert.deepEqual([...new Set(processes.map(({ name }) => name))], [NAME]);
      assert.equal(new Set(processes.map(({ pid }) => pid)).size, 4, 'each has an id of its own in the pod');
      assert.equal(await pod.end(sidecar, 'SIGTERM'), 0, sidecar.said);
    },
  );
}
