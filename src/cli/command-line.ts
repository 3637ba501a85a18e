import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, UserError } from '../base/errors.ts';
import { STDERR, textOf } from '../base/terminal.ts';
import { VERSION } from '../base/version.ts';
import { OPTIONS, type OptionGroup, optionName, SETTING_NAMES, VERIFY_SETTINGS } from '../config/options.ts';
import { readSettings, type Settings } from '../config/settings.ts';

/** The commands and their options. Each command loads its own part of the program: observing must not pay for the rest. */
export function commandLine(): Command {
  const program = new Command('mapscope')
    .description("See a Go program's map lookups: where, which type, how many probes, hit or miss.")
    .version(VERSION)
    .showHelpAfterError('(run mapscope --help for usage)')
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => process.stdout.write(textOf(linesOf(text))),
      writeErr: (text) => STDERR.write(...linesOf(text)),
    })
    .exitOverride();
  addAttach(program);
  addRun(program);
  addVerify(program);
  addScan(program);
  addReport(program);
  addDoctor(program);
  return program;
}

/** Lines of a text that ends with a line feed. */
function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function addAttach(program: Command): void {
  const command = program.command('attach').description('observe running Go processes');
  command
    .addOption(pidOption('id of the process to observe'))
    .addOption(
      grouped('--exe <glob>', 'observe every process whose executable matches, by name or by path', 'Target'),
    );
  withSettings(command, SETTING_NAMES)
    .addHelpText(
      'after',
      example("attach --exe 'shop*' --duration 30s --otlp-endpoint http://localhost:4317"),
    )
    .action(async ({ pid, exe, ...options }: { pid?: number; exe?: string }) => {
      const { attach } = await import('./commands/attach.ts');
      if ((pid === undefined) === (exe === undefined)) {
        throw new UserError('Name the process with either --pid or --exe.', EXIT.usage);
      }
      return attach(pid !== undefined ? { pid } : { exe: exe ?? '' }, readSettings(options));
    });
}

const PROGRAM_HELP =
  "the program to start; it may be a launcher or a shell (env A=1 ./shop, sh -c './setup; ./shop'): of all that it executes and starts, the first Go program with map lookups is taken, before its first instruction";

function addRun(program: Command): void {
  withSettings(
    program.command('run').description('start a Go program and observe its map lookups'),
    SETTING_NAMES,
  )
    .argument('<program>', PROGRAM_HELP)
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .addHelpText('after', LAUNCHERS)
    .addHelpText('after', example('run --mode all -- ./shop --port 8080'))
    .action(async (name: string, args: string[], options) => {
      const { run } = await import('./commands/run.ts');
      return run(name, args, readSettings(options));
    });
}

function addVerify(program: Command): void {
  const command = program
    .command('verify')
    .description('check decoded lookups against what the functions return')
    .addOption(pidOption('id of the process to verify'));
  withSettings(command, VERIFY_SETTINGS, {
    duration: 'stop after this time (default: 10s for a process; for a program when it ends)',
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
      const settings = readSettings(options, true);
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

/** @param instead other words for some settings */
function withSettings(
  command: Command,
  settings: readonly (keyof Settings)[],
  instead: Partial<Record<keyof Settings, string>> = {},
): Command {
  command.addOption(
    grouped(
      '--config <file>',
      'read settings from a YAML file; options on the command line take precedence',
      'Observation',
    ),
  );
  for (const setting of settings) {
    const { argument, help, group, isOptional } = OPTIONS[setting];
    const flag = optionName(setting);
    const value = isOptional ? `[${argument}]` : `<${argument}>`;
    const flags = argument === undefined ? flag : `${flag} ${value}`;
    command.addOption(grouped(flags, instead[setting] ?? help, group));
  }
  return command;
}

function grouped(flags: string, help: string, group: OptionGroup): Option {
  return new Option(flags, help).helpGroup(`${group}:`);
}

function pidOption(help: string): Option {
  return grouped('--pid <pid>', help, 'Target').argParser(processId);
}

function processId(text: string): number {
  // Number() would also take 0x1 and 1e3.
  if (!/^[1-9]\d{0,9}$/.test(text)) {
    throw new InvalidArgumentError('It must be a process id: a whole number above 0.');
  }
  return Number(text);
}

const LAUNCHERS = `
The program may be a launcher or a shell (env A=1 ./shop, sh -c './setup; ./shop'): of all that it executes and starts, the first
Go program with map lookups is taken, before its first instruction.`;

function example(command: string): string {
  return `\nExample:\n  mapscope ${command}`;
}
