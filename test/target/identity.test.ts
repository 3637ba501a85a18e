import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { describeTarget } from '../../src/session/target.ts';
import { Executable } from '../../src/target/executable.ts';
import { hostNameIn, hostNameOf, ownPid, processKey } from '../../src/target/identity.ts';
import { podIn } from '../../src/target/kubernetes.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 60_000 };
const ID = '0123456789abcdef'.repeat(4);
const UID = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';
const SYSTEMD_UID = UID.replaceAll('-', '_');
const OTHER = 'f0b1c2d3-4f50-6172-8394-a5b6c7d8e9f0';

/** Starts a shell command in namespaces of its own and gives the pid of `sleep`, which it executes last. */
async function sleepIn(context: TestContext, flags: string[], before = ''): Promise<number> {
  const child = spawn('unshare', [...flags, '--kill-child', 'sh', '-c', `${before} exec sleep 60`]);
  context.after(() => child.kill('SIGKILL'));
  const parent = child.pid ?? assert.fail('it did not start');
  const find = (): number | undefined =>
    readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number)
      .find((pid) => pid > 0 && executes(pid, 'sleep'));
  await until(() => find() !== undefined, 'sleep is executed');
  return find() ?? assert.fail('it has ended');
}

function executes(pid: number, name: string): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name;
}

test('a process in a pid namespace of its own has a pid and a key of its own', LIMIT, async (context) => {
  const one = await sleepIn(context, ['--pid', '--fork']);
  const two = await sleepIn(context, ['--pid', '--fork']);
  assert.deepEqual([ownPid(one), ownPid(two), ownPid(process.pid)], [1, 1, process.pid]);
  assert.equal(processKey(one), processKey(one));
  assert.notEqual(processKey(one), processKey(two));
});

test('the key does not hang on the clock', LIMIT, async (context) => {
  const stat = join(mkdtempSync(join(tmpdir(), 'mapscope-clock-')), 'stat');
  context.after(() => rmSync(stat));
  const text = readFileSync('/proc/stat', 'utf8');
  writeFileSync(stat, text.replace(/^btime \d+/m, 'btime 1000000000'));
  const program = `import { processKey } from '${new URL('../../src/target/identity.ts', import.meta.url).pathname}'; console.log(processKey(${process.pid}))`;
  const child = spawn('unshare', [
    '--mount',
    'sh',
    '-c',
    `mount --bind ${stat} /proc/stat && grep -q 'btime 1000000000' /proc/stat && exec "$0" --input-type=module -e "$1"`,
    process.execPath,
    program,
  ]);
  const output = await child.stdout.setEncoding('utf8').toArray();
  assert.equal(output.join('').trim(), processKey(process.pid));
});

test("a host name is the process's own, or unknown", LIMIT, async (context) => {
  assert.equal(hostNameOf(process.pid), hostname());
  const nameless = await sleepIn(context, ['--uts'], 'hostname somewhere-else;');
  assert.equal(hostNameOf(nameless), undefined);
  const file = join(mkdtempSync(join(tmpdir(), 'mapscope-host-')), 'hostname');
  context.after(() => rmSync(file));
  writeFileSync(file, 'shop-7f\n');
  const container = await sleepIn(
    context,
    ['--uts', '--mount'],
    `hostname shop-7f; mount --bind ${file} /etc/hostname;`,
  );
  assert.equal(hostNameOf(container), 'shop-7f');
});

test('what is no host name is none', () => {
  assert.equal(hostNameIn('root:x:0:0\n'), undefined);
  assert.equal(hostNameIn(undefined), undefined);
  assert.equal(hostNameIn('a'.repeat(65)), undefined);
});

test('a replaced executable keeps its name', LIMIT, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-replaced-'));
  const exe = join(folder, 'shop');
  copyFileSync('/bin/sleep', exe);
  const child = spawn(exe, ['60']);
  context.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? assert.fail('it did not start');
  await until(() => executes(pid, 'shop'), 'the copy is executed');
  rmSync(folder, { recursive: true });
  const esbuild = openGoBinary('node_modules/esbuild-go1.26/bin/esbuild');
  const described = describeTarget(pid, { executable: Executable.ofProcess(pid), binary: esbuild });
  const { exe: name, key } = described;
  assert.deepEqual([name, key], [exe, processKey(pid)]);
});

for (const [where, theirs, ours, expected] of [
  [
    'the pod of the sidecar, private namespace',
    `0::/../cri-containerd-${ID}.scope`,
    '0::/',
    { isOurs: true },
  ],
  ['the same with cgroupfs', `0::/../${ID}`, '0::/', { isOurs: true }],
  ['the same with CRI-O', `0::/../../crio-${ID}.scope/container`, '0::/', { isOurs: true }],
  [
    'another pod, private namespace',
    `0::/../../kubepods-pod${SYSTEMD_UID}.slice/cri-containerd-${ID}.scope`,
    '0::/',
    { uid: UID, isOurs: false },
  ],
  [
    'cgroup 1, same pod',
    `5:cpu:/kubepods/pod${UID}/${ID}`,
    `5:cpu:/kubepods/pod${UID}/x`,
    { uid: UID, isOurs: true },
  ],
  [
    'cgroup 1, other pod',
    `5:cpu:/kubepods/pod${UID}/${ID}`,
    `5:cpu:/kubepods/pod${OTHER}/x`,
    { uid: UID, isOurs: false },
  ],
  ['a container that is no pod', `0::/../../../system.slice/docker-${ID}.scope`, '0::/', undefined],
  ['no container', '0::/user.slice', '0::/', undefined],
] as const) {
  test(`pod: ${where}`, () => assert.deepEqual(podIn(theirs, ours), expected));
}
