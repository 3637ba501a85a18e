import { Argument, Command, Option } from 'commander';
import { EXIT, UserError } from '../base/errors.ts';
import { configureLog } from '../base/log.ts';
import { STDERR, textOf } from '../base/terminal.ts';
import { VERSION } from '../base/version.ts';
import { CRITERION_NAMES, type SelectionOptions } from '../config/criteria.ts';
import { OPTIONS, optionName, SETTING_NAMES, VERIFY_SETTINGS } from '../config/options.ts';
import type { Selection } from '../target/finding/selection.ts';
import { SHELLS, type Shell } from './completion/shells.ts';
import { addConfig } from './config-commands.ts';
import {
  example,
  grouped,
  pidOption,
  processId,
  selectionOf,
  settingsOf,
  withoutCriteria,
  withSelection,
  withSettings,
} from './options.ts';

/**
 * The commands and their options. Each command loads its own part of the program: observing must not pay for the rest, and help
 * for nothing.
 */
export function commandLine(): Command {
  const program = new Command('mapscope')
    .description("See a Go program's map lookups: where, which type, how many probes, hit or miss.")
    .version(VERSION)
    .showHelpAfterError('(run mapscope --help for usage)')
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => process.stdout.write(textOf(linesOf(text))),
      writeErr: (text) => STDERR.write(...linesOf(text)),
      outputError: (text, write) => write(text.replace(/^error: /, 'mapscope: ')),
    })
    // What is wrong with a configuration is said in the form that is asked for beside it.
    .hook('preAction', (_program, command) => {
      const { logFormat = process.env.MAPSCOPE_LOG_FORMAT } = command.opts();
      configureLog({ format: logFormat === 'json' ? 'json' : 'text', level: 'info' });
    })
    .exitOverride();
  addAttach(program);
  addRun(program);
  addSidecar(program);
  addVerify(program);
  addPs(program);
  addExplain(program);
  addScan(program);
  addReport(program);
  addConfig(program);
  addDoctor(program);
  addCompletion(program);
  return program;
}

/** Lines of a text that ends with a line feed. */
function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function addAttach(program: Command): void {
  const command = program.command('attach').description('observe running Go processes');
  command.addOption(pidOption('id of the process to observe'));
  withSelection(command).addOption(
    grouped(
      '--wait',
      'also observe processes that come later, until the duration is over or you press Ctrl-C',
      'Target',
    ),
  );
  withSettings(command, SETTING_NAMES)
    .addHelpText(
      'after',
      example("attach --exe 'shop*' --duration 30s --otlp-endpoint http://localhost:4317"),
    )
    .action(async ({ pid, wait = false, ...options }: AttachOptions) => {
      if (pid !== undefined && (wait || CRITERION_NAMES.some((name) => options[name] !== undefined))) {
        throw new UserError('--pid names one process that runs: leave out what chooses others.', EXIT.usage);
      }
      const selection = await selectionOf(options);
      if (pid === undefined && selection.rules.length === 0) {
        const criteria = CRITERION_NAMES.map(optionName)
          .join(', ')
          .replace(/, (?!.*, )/, ' or ');
        throw new UserError(`Name the process with either --pid or ${criteria}.`, EXIT.usage);
      }
      const settings = await settingsOf(withoutCriteria(options));
      if (wait) {
        const { attachWaiting } = await import('./commands/attach-waiting.ts');
        return attachWaiting(options, { selection, settings });
      }
      const { attach } = await import('./commands/attach.ts');
      return attach(pid !== undefined ? { pid } : { selection }, settings);
    });
}

type AttachOptions = SelectionOptions & { readonly pid?: number; readonly wait?: boolean };

/** What a service that runs for ever can use: no report is written. */
const SIDECAR_SETTINGS = SETTING_NAMES.filter(
  (name) => OPTIONS[name].group !== 'Report' || name === 'spikes',
);

function addSidecar(program: Command): void {
  const command = program
    .command('sidecar')
    .description(
      'observe and export all processes that rules include, those that run and those that come, for ever',
    );
  withSettings(withSelection(command), SIDECAR_SETTINGS)
    .addHelpText('after', example('sidecar --config mapscope.yaml'))
    .action(async (options: SelectionOptions) => {
      const { sidecar } = await import('./commands/sidecar.ts');
      return sidecar(options);
    });
}

function addPs(program: Command): void {
  const command = program
    .command('ps')
    .description('list the Go programs that run, and what rules make of each; nothing is attached');
  withSettings(withSelection(command), ['format'])
    .addHelpText('after', example('ps --config mapscope.yaml'))
    .action(async (options: SelectionOptions) => {
      const { ps } = await import('./commands/ps.ts');
      return ps(orEveryGoProgram(await selectionOf(options)), await settingsOf(withoutCriteria(options)));
    });
}

function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description(
      'say of a process which rule takes it, how it was built, where probes would go and what they would cost; nothing is attached',
    )
    .argument('<pid>', 'id of the process', processId);
  withSettings(withSelection(command), ['format', 'budget'])
    .addHelpText('after', example('explain 4711 --config mapscope.yaml'))
    .action(async (pid: number, options: SelectionOptions) => {
      const { explain } = await import('./commands/explain.ts');
      const selection = orEveryGoProgram(await selectionOf(options));
      return explain(pid, selection, await settingsOf(withoutCriteria(options)));
    });
}

/** Who names no rule wants to see them all. */
function orEveryGoProgram(selection: Selection): Selection {
  return selection.rules.length > 0
    ? selection
    : { ...selection, rules: [{ action: 'include', criteria: { go: true } }] };
}

const PROGRAM_HELP =
  "the program to start; it may be a launcher or a shell (env A=1 ./shop, sh -c './setup; ./shop'): of all that it executes and starts, the first Go program with map lookups is taken, before its first instruction";

const RUNS_ON =
  'a program runs on, and its end is waited for: a report on stdout follows then, one in a file does not wait';

function addRun(program: Command): void {
  withSettings(
    program.command('run').description('start a Go program and observe its map lookups'),
    SETTING_NAMES,
    { duration: `how long to observe, such as 10s, 2m or 1d; ${RUNS_ON} (default: until it ends)` },
  )
    .argument('<program>', PROGRAM_HELP)
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .addHelpText('after', LAUNCHERS)
    .addHelpText('after', example('run --mode all -- ./shop --port 8080'))
    .action(async (name: string, args: string[], options) => {
      const { run } = await import('./commands/run.ts');
      return run(name, args, await settingsOf(options));
    });
}

function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('check decoded lookups against what the functions return')
    .addOption(pidOption('id of the process to verify'));
  withSettings(command, VERIFY_SETTINGS, {
    duration: `stop after this time; ${RUNS_ON} (default: 10s for a process; for a program when it ends)`,
  })
    .argument('[program]', PROGRAM_HELP)
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .addHelpText('after', LAUNCHERS)
    .addHelpText('after', example('verify --pid 4711 --duration 30s'))
    .action(async (name: string | undefined, args: string[], { pid, ...options }: { pid?: number }) => {
      if ((pid === undefined) === (name === undefined)) {
        throw new UserError('Name what to verify: either --pid or a program.', EXIT.usage);
      }
      const settings = await settingsOf(options, true);
      const { verifyProcess, verifyProgram } = await import('./commands/verify.ts');
      process.exitCode =
        pid !== undefined
          ? await verifyProcess(pid, settings)
          : await verifyProgram(name ?? '', args, settings);
    });
}

function addScan(program: Command): void {
  program
    .command('scan')
    .description('list every map lookup in a binary, without running it')
    .argument('<binary>', 'a Go executable')
    .addOption(new Option('--format <format>', 'table or json').choices(['table', 'json']).default('table'))
    .addHelpText('after', example('scan ./shop'))
    .action(async (binary: string, options: { format: string }) => {
      const { scan } = await import('./commands/scan.ts');
      await scan(binary, options);
    });
}

function addReport(program: Command): void {
  program
    .command('report')
    .description('make one page of several, or a table or JSON of reports in files')
    .argument('<files...>', 'pages (.html) or JSON reports that mapscope has written')
    .addOption(new Option('--format <format>', 'table, json or html').choices(['table', 'json', 'html']))
    .option('--output <file>', 'write to this file; a page when it ends with .html (default: stdout)')
    .addHelpText('after', example('report before.html after.html --output both.html'))
    .action(async (files: string[], options: { format?: string; output?: string }) => {
      const { reportFiles } = await import('./commands/report.ts');
      await reportFiles(files, options);
    });
}

function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check what this machine and a target allow, and how to fix what is missing')
    .option('--pid <pid>', 'also check this process', processId)
    .addHelpText('after', example('doctor --pid 4711'))
    .action(async ({ pid }: { pid?: number }) => {
      const { doctor } = await import('./commands/doctor.ts');
      process.exitCode = await doctor(pid);
    });
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print what tells a shell how to complete commands, options and their values')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', example('completion bash >/etc/bash_completion.d/mapscope'))
    .action(async (shell: Shell) => {
      const { completion } = await import('./commands/completion.ts');
      await completion(shell, program);
    });
  program.command('go-processes', { hidden: true }).action(async () => {
    const { goProcesses } = await import('./commands/go-processes.ts');
    await goProcesses();
  });
}

const LAUNCHERS = `
The program may be a launcher or a shell (env A=1 ./shop, sh -c './setup; ./shop'): of all that it executes and starts, the first
Go program with map lookups is taken, before its first instruction.`;
