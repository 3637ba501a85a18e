// Breakpoints go only into the file that they were planned for, and what does not arrive in the process is said.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { planReturns } from '../../src/plan/lookups/returns.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { VerifyProgram } from '../../src/programs/verify-program.ts';
import { Executable } from '../../src/target/executable.ts';
import { MappedBinary } from '../../src/target/mapped.ts';
import { mapscope } from '../support/command.ts';
import { mapped, opened } from '../support/opened.ts';
import { inOverlay } from '../support/overlay.ts';
import { buildExecutes, Executes } from './executes.ts';

const LONG = { timeout: 120_000 };

/** Another build of the same program: its code is elsewhere in the file. */
const OTHER = ['-gcflags=all=-N -l'];

/** The bytes at all places where a program would put breakpoints, in the memory of the process. */
function codeAt(pid: number, offsets: readonly number[]): string {
  const { binary } = opened(pid);
  const [code] = binary.segments().filter((segment) => segment.executable);
  assert.ok(code);
  return offsets
    .map((offset) =>
      addon.readMemory(pid, BigInt(offset - code.fileOffset + code.address), 4).toString('hex'),
    )
    .join(' ');
}

test('a verification whose target executes another file puts nothing into it', LONG, async (context) => {
  const [first, second] = [await buildExecutes(), await buildExecutes('local', OTHER)];
  const service = await Executes.start(context, first);
  const target = mapped(service.pid);
  const preparation = prepare(target.binary);
  const { plan } = preparation;
  const returns = planReturns(target.binary, plan);
  const program = await VerifyProgram.load({
    target,
    preparation,
    returns,
    zeroValue: undefined,
    lookups: 1000,
  });
  context.after(() => program.close());
  const all = new Set(plan.functions.keys());
  await program.attach(all);
  await program.detach();
  await service.execute(second);
  const offsets = [...plan.sites, ...returns].map(({ fileOffset }) => fileOffset);
  const before = codeAt(service.pid, offsets);
  await assert.rejects(program.attach(all), {
    name: 'UserError',
    message: /it now executes another program/,
  });
  assert.equal(codeAt(service.pid, offsets), before);
  assert.equal(await service.wrongLookups(), 0);
});

test('a window on a process that executes another file is refused', LONG, async (context) => {
  const [first, second] = [await buildExecutes(), await buildExecutes('local', OTHER)];
  const service = await Executes.start(context, first);
  const target = mapped(service.pid);
  const program = await LookupProgram.load({ target, preparation: prepare(target.binary), gated: true });
  context.after(() => program.close());
  const { counters } = await program.window({ openSeconds: 0.05, hitLimit: 1e6 });
  assert.ok(counters.hits > 0);
  await service.execute(second, 'thread');
  await assert.rejects(program.window({ openSeconds: 0.05, hitLimit: 1e6 }), {
    name: 'UserError',
    message: /do not take effect in process \d+: it now executes another program/,
  });
  assert.equal(await service.wrongLookups(), 0);
});

test(
  'what was read of one file is not attached to a process that executes another',
  LONG,
  async (context) => {
    const [first, second] = [await buildExecutes(), await buildExecutes('local', OTHER)];
    const service = await Executes.start(context, first);
    const { executable, binary } = opened(service.pid);
    await service.execute(second);
    assert.throws(() => MappedBinary.of(service.pid, executable, binary), {
      message: /^Process \d+ now executes .* instead of .*\. Nothing was attached\.$/,
    });
  },
);

test('the same file under another path is the same file', LONG, async (context) => {
  const path = await buildExecutes();
  const folder = mkdtempSync(join(tmpdir(), 'mapscope executable\n'));
  context.after(() => rmSync(folder, { recursive: true }));
  const copy = join(folder, 'a program');
  copyFileSync(path, copy);
  const service = await Executes.start(context, copy);
  const executable = Executable.atPath(copy);
  assert.ok(executable.isRunBy(service.pid));
  assert.ok(!Executable.atPath(path).isRunBy(service.pid));
  // A path with a line feed and a blank.
  const target = mapped(service.pid);
  assert.equal(target.executable.name, copy);
  // Replaced while it runs.
  rmSync(copy);
  copyFileSync(path, copy);
  assert.ok(mapped(service.pid).executable.isRunBy(service.pid));
  assert.ok(!Executable.atPath(copy).isRunBy(service.pid));
});

for (const mode of ['all', 'windows']) {
  test(`a file that overlayfs has copied up cannot be observed in mode ${mode}`, LONG, async (context) => {
    const service = await Executes.start(context, await inOverlay(context, await buildExecutes()));
    const merged = service.path;
    chmodSync(merged, 0o750);
    const { status, stderr } = await mapscope([
      'attach',
      '--pid',
      String(service.pid),
      '--mode',
      mode,
      '--duration',
      '20s',
    ]);
    assert.match(
      stderr,
      /do not take effect in process \d+: the file was changed, or copied up by overlayfs, after the process started/,
    );
    assert.equal(status, 3);
    assert.equal(await service.wrongLookups(), 0);
  });
}
