#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { EXIT, messageOf, UserError } from '../errors.ts';
import { VERSION } from '../export/version.ts';
import { readSettings } from './settings.ts';

/** Options of every command that observes. */
function withObservationOptions(command: Command): Command {
  return command
    .option('--config <file>', 'settings from a YAML file; the command line wins')
    .option(
      '--duration <time>',
      'how long to observe, such as 10s or 2m (default: until the target ends or Ctrl-C)',
    )
    .option('--mode <mode>', 'windows: short windows within the budget; all: every lookup (default: windows)')
    .option('--budget <share>', "share of the target's CPU that observation may cost (default: 1%)")
    .option('--format <format>', 'table or json (default: table)')
    .option('--output <file>', 'where the report goes (default: stdout)')
    .option(
      '--otlp-endpoint <url>',
      'OpenTelemetry collector, OTLP/gRPC (default: the OTEL_EXPORTER_OTLP_* variables)',
    )
    .option(
      '--trace-sources <list>',
      'where traces are known from: labels,sdk,http,grpc,obi or none (default: all there are)',
    )
    .option('--trace-labels <names>', 'pprof labels that hold trace ids (default: trace_id,traceid,trace id)')
    .option(
      '--span-labels <names>',
      'pprof labels that hold span ids (default: span_id,spanid,span id,profile_id)',
    )
    .option(
      '--otlp-logs-endpoint <url>',
      'where spikes are told of as log events (default: OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, or nowhere)',
    )
    .option('--spikes <threshold>', SPIKES_HELP)
    .option('--goroutines <n>', GOROUTINES_HELP)
    .option('--spans <n>', SPANS_HELP)
    .option('--per-goroutine <n>', PER_GOROUTINE_HELP)
    .option('--attach-method <method>', 'uprobe_multi or perf_event (default: the best the kernel has)')
    .option('--verify', 'first compare lookups with what the functions return; report only what agrees')
    .option('--lookups <n>', LOOKUPS_HELP)
    .option('--allow-unknown-go', ALLOW_UNKNOWN_HELP);
}

const SPIKES_HELP =
  "tell of lookups with more probes or comparisons than 32, than 8x their site's mean, or off (default: 32 with a logs endpoint, else off)";
const GOROUTINES_HELP =
  'how many of the heaviest goroutines to report; 0: none, which makes observing cheaper (default: 10, in tables 5)';
const SPANS_HELP =
  'how many of the spans whose lookups took longest to report; 0: none (default: 10, in tables 5, where spans are followed anyway)';
const PER_GOROUTINE_HELP =
  'give the heaviest n goroutines, at most 100, histograms of their own over OTLP (default: none)';
const LOOKUPS_HELP = 'how many lookups of each function to verify (default: 1000)';
const ALLOW_UNKNOWN_HELP =
  'also observe programs of a newer Go than any known, with the newest layouts; needs --verify';

function withVerifyOptions(command: Command): Command {
  return command
    .option('--pid <pid>', 'the process to verify', processId)
    .option('--config <file>', 'settings from a YAML file; the command line wins')
    .option('--lookups <n>', LOOKUPS_HELP)
    .option('--duration <time>', 'how long at most (default: 10s for a process, else until the program ends)')
    .option('--format <format>', 'table or json (default: table)')
    .option('--output <file>', 'where the report goes (default: stdout)')
    .option('--allow-unknown-go', ALLOW_UNKNOWN_HELP)
    .option('--attach-method <method>', 'uprobe_multi or perf_event (default: the best the kernel has)');
}

function processId(text: string): number {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0) throw new InvalidArgumentError('It must be a process id.');
  return pid;
}

/** Each command loads its own part of the program: observing must not pay for the rest. */
function commandLine(): Command {
  const program = new Command('mapscope')
    .description("See a Go program's map lookups: where, which type, how many probes, hit or miss.")
    .version(VERSION)
    .showHelpAfterError('(mapscope --help tells more)')
    .enablePositionalOptions()
    .exitOverride();
  withObservationOptions(program.command('run').description('start a Go program and observe it'))
    .argument('<program>', 'the program')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .action(async (name: string, args: string[], options) => {
      const { run } = await import('./run.ts');
      return run(name, args, readSettings(options));
    });
  withObservationOptions(program.command('attach').description('observe what is running'))
    .option('--pid <pid>', 'the process to observe', processId)
    .option('--exe <glob>', 'observe every process whose executable matches, by name or by path')
    .action(async ({ pid, exe, ...options }: { pid?: number; exe?: string }) => {
      const { attach } = await import('./attach.ts');
      if ((pid === undefined) === (exe === undefined))
        throw new UserError('Say which process: either --pid or --exe.', EXIT.usage);
      return attach(pid !== undefined ? { pid } : { exe: exe ?? '' }, readSettings(options));
    });
  withVerifyOptions(
    program.command('verify').description('prove decoded lookups against what the functions return'),
  )
    .argument('[program]', 'a program to start')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .action(async (name: string | undefined, args: string[], { pid, ...options }: { pid?: number }) => {
      if ((pid === undefined) === (name === undefined))
        throw new UserError('Say what to verify: either --pid or a program.', EXIT.usage);
      const settings = readSettings(options, true);
      const { verifyProcess, verifyProgram } = await import('./verify.ts');
      process.exitCode =
        pid !== undefined
          ? await verifyProcess(pid, settings)
          : await verifyProgram(name ?? '', args, settings);
    });
  program
    .command('scan')
    .description('every map lookup in a binary; nothing runs')
    .argument('<binary>', 'a Go executable')
    .option('--format <format>', 'table or json', 'table')
    .action(async (binary: string, options: { format: string }) => {
      const { scan } = await import('./scan.ts');
      scan(binary, options);
    });
  program
    .command('doctor')
    .description('what this machine and a target allow, what is missing, how to mend it')
    .option('--pid <pid>', 'also look at this process', processId)
    .action(async ({ pid }: { pid?: number }) => {
      const { doctor } = await import('./doctor.ts');
      process.exitCode = doctor(pid);
    });
  return program;
}

/** Exit status for whatever went wrong; says it first. */
function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const text =
    error instanceof UserError ? messageOf(error) : `internal error: ${(error as Error)?.stack ?? error}`;
  process.stderr.write(`mapscope: ${text}\n`);
  return error instanceof UserError ? error.exitStatus : EXIT.failed;
}

try {
  await commandLine().parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}
// A connection to a collector that never answers would keep the process for seconds; the report has been written.
process.exit();
