import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { addon } from '../../src/kernel/addon.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { mapscope } from '../support/command.ts';
import { until } from '../support/until.ts';
import { buildExecutes, Executes } from './executes.ts';

const LONG = { timeout: 120_000 };

const folder = mkdtempSync(join(tmpdir(), 'mapscope-rights-'));
after(() => rmSync(folder, { recursive: true, force: true }));
/** A Go service that everybody may read and execute, and the same with other modes. */
const service = join(folder, 'service');
const unreadable = join(folder, 'unreadable');
const setUserId = join(folder, 'set-user-id');
const yama = join(folder, 'yama.so');

before(async () => {
  const built = await buildExecutes();
  for (const [path, mode] of [
    [service, 0o755],
    [unreadable, 0o711],
    [setUserId, 0o4755],
  ] as const) {
    copyFileSync(built, path);
    chmodSync(path, mode);
  }
  chmodSync(folder, 0o755);
  const source = join(import.meta.dirname, 'fixtures/yama.c');
  execFileSync('cc', ['-Wall', '-Werror', '-shared', '-fPIC', '-o', yama, source, '-ldl']);
});

const NOBODY = 65534;
/** Runs what follows as another user, with these capabilities only. */
function as(user: number, capabilities: readonly string[] = [], group = user): string[] {
  const list = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  return [
    ...['setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups'],
    ...[`--inh-caps=${list}`, `--ambient-caps=${list}`],
  ];
}
/** What mapscope needs to observe its own user's processes; and to read its own files, wherever they are. */
const LEAST = ['bpf', 'perfmon', 'dac_read_search'];
const asNobody = as(NOBODY, LEAST);

function start(t: { after(end: () => void): void }, under: readonly string[], path = service) {
  const [command = path, ...args] = [...under, path];
  return Executes.start(t, command, args);
}

/** Each command for a running process ends with this sentence and exit status 3, and doctor foresees it. */
async function assertRefused(
  pid: number,
  under: readonly string[],
  sentence: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const command of ['attach', 'verify']) {
    const args = [command, '--pid', `${pid}`, '--duration', '1s'];
    const { status, stdout, stderr } = await mapscope(args, { under, env });
    assert.deepEqual([stderr, stdout, status], [`mapscope: ${sentence}\n`, '', 3], command);
  }
  const { status, stdout } = await mapscope(['doctor', '--pid', `${pid}`], { under, env });
  assert.ok(stdout.includes(`  MISSING target             ${sentence}\n`), stdout);
  assert.equal(status, 3);
}

/** Each command works. */
async function assertObserved(
  pid: number,
  under: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const command of ['attach', 'verify']) {
    const args = [command, '--pid', `${pid}`, '--duration', '1s'];
    const { status, stderr } = await mapscope(args, { under, env });
    assert.deepEqual([stderr, status], ['', 0], command);
  }
  const { status, stdout } = await mapscope(['doctor', '--pid', `${pid}`], { under, env });
  assert.equal(status, 0, stdout);
}

test('a process of the same user is observed without CAP_SYS_PTRACE', LONG, async (t) => {
  const { pid } = await start(t, as(NOBODY));
  await assertObserved(pid, asNobody);
  const { stdout } = await mapscope(['doctor'], { under: asNobody });
  assert.match(stdout, /limited processes +only this user's can be observed\n +fix: add CAP_SYS_PTRACE\n/);
});

test('a process of another user takes CAP_SYS_PTRACE', LONG, async (t) => {
  const { pid } = await start(t, as(1234));
  await assertRefused(
    pid,
    asNobody,
    `mapscope is not allowed to look at process ${pid}, which runs as user 1234 and not as 65534: run as the same user, as root, or with CAP_SYS_PTRACE.`,
  );
  await assertObserved(pid, as(NOBODY, [...LEAST, 'sys_ptrace']));
  const { status, stderr } = await mapscope(['attach', '--exe', 'no-such-service'], { under: asNobody });
  assert.equal(
    stderr,
    'mapscope: No running process has an executable that matches no-such-service. Those of other users were not looked at, which takes CAP_SYS_PTRACE.\n',
  );
  assert.equal(status, 3);
});

test('a process of the same user and another group', LONG, async (t) => {
  const { pid } = await start(t, as(NOBODY, [], 1234));
  await assertRefused(
    pid,
    asNobody,
    `mapscope is not allowed to look at process ${pid}, which runs as group 1234 and not as 65534: run as the same user, as root, or with CAP_SYS_PTRACE.`,
  );
});

test('a process of the same user that has capabilities', LONG, async (t) => {
  const { pid } = await start(t, as(NOBODY, ['chown']));
  await assertRefused(
    pid,
    asNobody,
    `mapscope is not allowed to look at process ${pid}, which has capabilities that mapscope has not: run as root, or with CAP_SYS_PTRACE.`,
  );
  await assertObserved(pid, as(NOBODY, [...LEAST, 'chown']));
});

test('a process that is not dumpable', LONG, async (t) => {
  // setpriv still has root's rights when it executes the file.
  const { pid } = await start(t, [...as(NOBODY), 'env'], unreadable);
  await assertRefused(
    pid,
    asNobody,
    `mapscope is not allowed to look at process ${pid}, which is not dumpable (its file is unreadable, it has changed its user, or it wants to be so): run as root, or with CAP_SYS_PTRACE.`,
  );
  await assertObserved(pid, as(NOBODY, [...LEAST, 'sys_ptrace']));
});

test('a process that protects itself while it is observed', LONG, async (t) => {
  const running = await start(t, as(NOBODY));
  const { pid } = running;
  const observing = mapscope(['attach', '--pid', `${pid}`], { under: asNobody });
  const [site = assert.fail()] = planProbes(openGoBinary(service)).sites;
  // Windows are short: many looks in a row.
  const isProbed = () =>
    Array.from({ length: 10_000 }).some(() => addon.readMemory(pid, BigInt(site.address), 1)[0] === 0xcc);
  await until(isProbed, 'nothing is attached to it');
  await running.protect();
  const { status, stderr } = await observing;
  const reason =
    'which is not dumpable (its file is unreadable, it has changed its user, or it wants to be so)';
  assert.equal(
    stderr,
    `mapscope: mapscope is not allowed to read the memory of process ${pid}, ${reason}: run as root, or with CAP_SYS_PTRACE.\n`,
  );
  assert.equal(status, 3);
});

test('a set-user-id program', LONG, async (t) => {
  const { pid } = await start(t, as(NOBODY), setUserId);
  await assertRefused(
    pid,
    asNobody,
    `mapscope is not allowed to look at process ${pid}, which runs as user 0 and not as 65534: run as the same user, as root, or with CAP_SYS_PTRACE.`,
  );
});

test('a file that may not be read, of a process that may be looked at', LONG, async (t) => {
  // Root reads only what its user may read without these two.
  const under = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
  const other = join(folder, 'of-another-user');
  copyFileSync(service, other);
  execFileSync('chown', [`${NOBODY}`, other]);
  chmodSync(other, 0o700);
  const { pid } = await start(t, as(NOBODY), other);
  const sentence = `mapscope is not allowed to read ${other}: run as a user who may read the file, as root, or with CAP_DAC_READ_SEARCH.`;
  await assertRefused(pid, under, sentence);
  const { status, stderr } = await mapscope(['scan', other], { under });
  assert.deepEqual([stderr, status], [`mapscope: ${sentence}\n`, 3]);
});

test('a process that another user namespace hides', LONG, async (t) => {
  const { pid } = await start(t, as(1234));
  const under = ['unshare', '--user', '--map-root-user'];
  await assertRefused(
    pid,
    under,
    `mapscope is not allowed to look at process ${pid}, although it has CAP_SYS_PTRACE: the process is of another user namespace, or a security module protects it.`,
  );
});

test('a process in a user namespace of the same user is observed', LONG, async (t) => {
  const { pid } = await start(t, [...as(NOBODY), 'unshare', '--user', '--map-root-user']);
  await assertObserved(pid, asNobody);
});

/** Runs what follows in a mount namespace in which a shell command was executed. */
const inNamespace = (command: string) => ['unshare', '--mount', 'sh', '-c', `${command} && exec "$@"`, 'sh'];

for (const hidepid of ['noaccess', 'invisible', 'ptraceable']) {
  test(`/proc with hidepid=${hidepid}`, LONG, async (t) => {
    const under = inNamespace(`mount -t proc -o hidepid=${hidepid} proc /proc`);
    const { pid } = await start(t, as(1234));
    const reason =
      hidepid === 'noaccess'
        ? `mapscope is not allowed to look at process ${pid}`
        : `Process ${pid} is hidden from mapscope (/proc is mounted with hidepid)`;
    await assertRefused(
      pid,
      [...under, ...asNobody],
      `${reason}: run as the same user, as root, or with CAP_SYS_PTRACE.`,
    );
    await assertObserved(pid, [...under, ...as(NOBODY, [...LEAST, 'sys_ptrace'])]);
    const same = await start(t, as(NOBODY));
    await assertObserved(same.pid, [...under, ...asNobody]);
  });
}

test('a kernel thread executes nothing', LONG, async () => {
  await assertRefused(2, [], 'Process 2 executes no program: it is a kernel thread, or has ended.');
});

/** The service ends when its standard input does. */
const BRIEF = ['sh', '-c', 'exec "$@" < /dev/null', 'sh'];

/** What Yama's settings say, by ptrace_scope: of running processes, and of programs that are started. */
const YAMA = [
  [
    1,
    "Yama's ptrace_scope is 1, which allows it only of programs that mapscope has started itself: run as root, or add CAP_SYS_PTRACE",
  ],
  [2, "Yama's ptrace_scope is 2, which demands CAP_SYS_PTRACE: run as root, or add CAP_SYS_PTRACE"],
  [3, "Yama's ptrace_scope is 3, which forbids it to everyone until the next boot"],
] as const;

for (const [scope, reason] of YAMA) {
  test(`Yama's ptrace_scope ${scope}`, LONG, async (t) => {
    const { pid } = await start(t, as(NOBODY));
    const settings = '/proc/sys/kernel';
    const under = [
      ...inNamespace(
        `boot=$(cat ${settings}/random/boot_id) && mount -t tmpfs tmpfs ${settings} && cd ${settings} && ` +
          `mkdir random yama && echo $boot > random/boot_id && echo ${scope} > yama/ptrace_scope && cd "$OLDPWD"`,
      ),
      ...asNobody,
    ];
    const env = { LD_PRELOAD: yama, YAMA: `${scope}` };
    await assertRefused(
      pid,
      under,
      `mapscope is not allowed to read the memory of process ${pid}: ${reason}.`,
      env,
    );
    const doctor = await mapscope(['doctor'], { under, env });
    assert.ok(
      doctor.stdout.includes(` processes          memory cannot be read: ${reason}\n`),
      doctor.stdout,
    );
    assert.equal(doctor.status, scope === 1 ? 0 : 3);
    for (const command of ['run', 'verify']) {
      const { status, stderr } = await mapscope([command, '--', service], {
        under: [...under, ...BRIEF],
        env,
      });
      const refused = `mapscope: mapscope is not allowed to trace what it starts: ${reason}.\n`;
      assert.deepEqual([stderr, status], scope === 1 ? ['', 0] : [refused, 3], command);
    }
  });
}

test('what forbids ptrace or memory for another reason than Yama', LONG, async (t) => {
  const { pid } = await start(t, []);
  const env = { LD_PRELOAD: yama, YAMA: '3' };
  await assertRefused(
    pid,
    [],
    `mapscope is not allowed to read the memory of process ${pid}, although it has CAP_SYS_PTRACE: the process is of another user namespace, or a security module protects it.`,
    env,
  );
  const { status, stderr } = await mapscope(['run', '--', service], { under: BRIEF, env });
  assert.deepEqual(
    [stderr, status],
    [
      `mapscope: cannot start ${service} under ptrace: Operation not permitted (a tracer of mapscope, such as strace or gdb, a seccomp filter or a security module forbids it)\n`,
      3,
    ],
  );
});
