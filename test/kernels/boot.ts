/* Boots a kernel in an emulated machine, without acceleration, and has it run the checks of guest/. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './command.ts';
import { CHOICE, END, GUEST_ROOT, type Outcome } from './guest/contract.ts';
import type { Kernel } from './packages.ts';

/** Emulation is ten to twenty times slower than the processor, and that may be shared. */
const LIMIT_MS = 16 * 60_000;

/** How much of what a kernel says on its console is told when it does not get through. */
const TOLD = 3000;

const BUSYBOX = '/bin/busybox';

/** Before the root file system can be mounted. What it runs writes to the second serial line. */
const init = (modules: readonly string[]): string => `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
ip link set lo up
${modules.map((name) => `insmod /modules/${name}`).join('\n')}
mount -t ext4 -o ro /dev/vda /root
mount -t proc proc /root/proc
mount -t sysfs sys /root/sys
mount -t devtmpfs dev /root/dev
mount -t tmpfs tmp /root/tmp
chroot /root /bin/node ${GUEST_ROOT}/build/kernels/main.mjs >/dev/ttyS1 2>/dev/ttyS0
poweroff -f
`;

/** Packs a tree the way the kernel unpacks it. */
async function initialFiles(kernel: Kernel, work: string): Promise<string> {
  const tree = join(work, 'initial');
  for (const folder of ['bin', 'dev', 'root', 'modules']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  await cp(BUSYBOX, join(tree, 'bin/busybox'));
  for (const [name, file] of kernel.modules) {
    await cp(file, join(tree, 'modules', name));
  }
  await writeFile(join(tree, 'init'), init([...kernel.modules.keys()]));
  await chmod(join(tree, 'init'), 0o755);
  const packed = join(work, 'initial.cpio');
  await run('sh', ['-c', `find . | ${BUSYBOX} cpio -o -H newc >'${packed}'`], tree);
  return packed;
}

/**
 * What Node says when V8 aborts. In the emulated machine it has, in two of five boots of Linux 6.1, in its books of compiled code ("Check
 * failed: it->second.Size() > offset", with memory protection keys and without): once in the checks themselves, before
 * they had anything to do with mapscope. nodejs/node#64500 tells of the same part of V8 on real machines.
 */
const V8_ABORTED = /# Fatal error in , line 0\s+# Check failed/;

/**
 * Boots and returns what the checks said, which is not all of them when something went wrong; then the last one says what. When it
 * was V8 that aborted, it boots once more, and says so.
 *
 * @param checks part of the names of those to run
 */
export async function bootAndCheck(kernel: Kernel, image: string, checks = ''): Promise<Outcome[]> {
  const outcomes = await bootOnce(kernel, image, checks);
  if (!outcomes.some(({ good, detail }) => !good && V8_ABORTED.test(detail))) {
    return outcomes;
  }
  process.stderr.write(`mapscope: V8 has aborted in Linux ${kernel.version}, which boots once more\n`);
  return await bootOnce(kernel, image, checks);
}

async function bootOnce(kernel: Kernel, image: string, checks: string): Promise<Outcome[]> {
  const work = await mkdtemp(join(tmpdir(), 'mapscope-boot-'));
  try {
    const said = join(work, 'said');
    const console = join(work, 'console');
    const initial = await initialFiles(kernel, work);
    const ended = await emulate([
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2048'],
      ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-nic', 'none'],
      ...['-kernel', kernel.image, '-initrd', initial],
      ...['-append', `console=ttyS0 quiet panic=-1 mitigations=off ${CHOICE}=${checks.replaceAll(' ', '_')}`],
      ...['-drive', `file=${image},format=raw,if=virtio,readonly=on`],
      ...['-serial', `file:${console}`, '-serial', `file:${said}`],
    ]);
    const outcomes = parse(await readFile(said, 'utf8'));
    if (outcomes.at(-1)?.check === END) {
      return outcomes.slice(0, -1);
    }
    const detail = `${ended}; on its console: ${await tail(console)}`;
    return [...outcomes, { check: 'boot', good: false, detail }];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns how it ended */
async function emulate(args: readonly string[]): Promise<string> {
  const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, LIMIT_MS);
  try {
    const [status] = await once(child, 'exit');
    return late
      ? `was not through after ${LIMIT_MS / 60_000} minutes`
      : `the emulator ended with status ${status}`;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

function parse(text: string): Outcome[] {
  return [...text.matchAll(/^(\{.*\})\r?$/gm)].map(([, line = '']) => JSON.parse(line) as Outcome);
}

async function tail(file: string): Promise<string> {
  const handle = await open(file);
  try {
    return (await handle.readFile('utf8')).slice(-TOLD);
  } catch (error) {
    return `nothing (${basename(file)}: ${error})`;
  } finally {
    await handle.close();
  }
}
