import { once } from 'node:events';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec as SpecReporter } from 'node:test/reporters';
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import { identity, type Process, signalAll, testProcesses, withDescendants } from './processes.ts';
import { SlowestFiles } from './slowest-files.ts';
import { Totals } from './totals.ts';

/** Test files that run `concurrency` at a time. */
export interface Batch {
  readonly files: readonly string[];
  readonly concurrency: number;
}

/** All in milliseconds. */
export interface Limits {
  /** For a test that does not set a limit of its own. node ends it only where it waits: see `file`. */
  readonly test: number;
  /** For the process of a file: one that hangs in a loop or a system call, or does not end after its tests. */
  readonly file: number;
  /** For all batches together. */
  readonly total: number;
}

export interface Options {
  readonly limits: Limits;
  readonly namePatterns?: readonly string[];
  /** Test files are named relative to it. */
  readonly root: string;
  /**
   * At most so many files with failures run once more, alone, after all others. More failures than that are no accident.
   * Without it none does.
   */
  readonly runAgain?: number;
}

/** How a run ended. */
export interface Outcome {
  readonly passed: boolean;
  /** Files, relative to the root, that failed and passed when they ran again. Each is a defect of a test or of the product. */
  readonly unsteady: readonly string[];
}

/** Time for processes to end when asked to, before they are killed. */
const GRACE_MS = 10_000;
/** Then the run itself ends, whoever still holds the output of a file. */
const GIVE_UP_MS = 2 * GRACE_MS;
const LOOK_EVERY_MS = 1000;

/** What the runner says besides the report. */
const say = (line: string): void => {
  process.stderr.write(`mapscope: ${line}\n`);
};

const minutes = (ms: number): string => `${Number((ms / 60_000).toFixed(2))} min`;

/**
 * Runs batches of test files one after the other, as `node --test` would run them, with one report whose closing lines
 * count all of them.
 *
 * A file that runs again has its place in the report and in the closing lines twice.
 */
export async function runTests(batches: readonly Batch[], options: Options): Promise<Outcome> {
  const stopping = new AbortController();
  const stop = (why: string): void => {
    if (stopping.signal.aborted) {
      return;
    }
    const running = testProcesses();
    const files = running.map(({ file }) => relative(options.root, file));
    say(`${why}: ending ${files.join(', ') || 'the tests'}`);
    end(running);
    stopping.abort();
    setTimeout(giveUp, GIVE_UP_MS).unref();
  };
  const { limits } = options;
  const timer = setTimeout(() => stop(`the tests take longer than ${minutes(limits.total)}`), limits.total);
  const watch = watchFiles(options);
  const interrupt = (signal: NodeJS.Signals): void => stop(`got ${signal}`);
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await report(batches, options, stopping.signal);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    clearInterval(watch);
    clearTimeout(timer);
  }
}

async function report(batches: readonly Batch[], options: Options, signal: AbortSignal): Promise<Outcome> {
  const reporter = new SpecReporter();
  const totals = new Totals();
  const slowest = new SlowestFiles();
  reporter.pipe(process.stdout, { end: false });

  /** @returns the files with failures */
  const runBatch = async ({ files, concurrency }: Batch): Promise<Set<string>> => {
    const failed = new Set<string>();
    const events = run({
      files: [...files],
      concurrency,
      signal,
      timeout: options.limits.test,
      testNamePatterns: [...(options.namePatterns ?? [])],
    });
    for await (const event of events) {
      if (event.type === 'test:fail' && event.data.file !== undefined && event.data.todo === undefined) {
        failed.add(event.data.file);
      }
      slowest.see(event);
      if (!totals.take(event) && !reporter.write(event)) {
        await once(reporter, 'drain');
      }
    }
    return failed;
  };

  const failed = new Set<string>();
  for (const batch of batches) {
    // Once the signal is there, a run would count none of its files.
    if (batch.files.length === 0 || signal.aborted) {
      continue;
    }
    for (const file of await runBatch(batch)) {
      failed.add(file);
    }
  }
  let passed = totals.success;
  const unsteady: string[] = [];
  if (!passed && !signal.aborted && failed.size > 0 && failed.size <= (options.runAgain ?? 0)) {
    say(`running again, alone: ${[...failed].map((file) => relative(options.root, file)).join(', ')}`);
    const failedAgain = await runBatch({ files: [...failed], concurrency: 1 });
    passed = failedAgain.size === 0;
    unsteady.push(
      ...[...failed].filter((file) => !failedAgain.has(file)).map((file) => relative(options.root, file)),
    );
  }
  for (const event of [...slowest.events(options.root), ...totals.events()]) {
    reporter.write(event);
  }
  reporter.end();
  await once(reporter, 'end');
  return { passed: passed && !signal.aborted, unsteady };
}

/** Ends the process of each file that runs for too long: node has no limit for it. It reports that the file has failed. */
function watchFiles({ limits, root }: Options): NodeJS.Timeout {
  const firstSeen = new Map<string, number>();
  const ended = new Set<string>();
  return setInterval(() => {
    const now = performance.now();
    for (const running of testProcesses()) {
      const id = identity(running);
      const since = firstSeen.get(id) ?? now;
      firstSeen.set(id, since);
      if (now - since > limits.file && !ended.has(id)) {
        say(`${relative(root, running.file)} runs for longer than ${minutes(limits.file)}: ending it`);
        ended.add(id);
        end([running]);
      }
    }
  }, LOOK_EVERY_MS);
}

/**
 * Ends processes with all that they have started. What is left of that would go on for ever, and so would the run, which
 * waits until nobody holds a file's output any more.
 */
function end(running: readonly Process[]): void {
  const all = withDescendants(running);
  signalAll(all, 'SIGTERM');
  setTimeout(() => signalAll(all, 'SIGKILL'), GRACE_MS).unref();
}

function giveUp(): void {
  say('something that the tests have started holds their output and cannot be ended');
  process.exit(1);
}
