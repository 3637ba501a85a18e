import type { Command, Option } from 'commander';
import { commandLine } from '../../src/cli/command-line.ts';
import { CRITERIA } from '../../src/config/criteria.ts';
import { OPTIONS, optionName, SETTING_NAMES } from '../../src/config/options.ts';
import { SUMMARIES_SCHEMA, SUMMARY_SCHEMA } from '../../src/report/summary/schema.ts';
import { EXCLUSION_NAMES, EXCLUSIONS } from '../../src/target/finding/built-in-exclusions.ts';
import { code, table } from './markdown.ts';

/** docs/command-line.md: every command and option, as the command itself has them. */
export function commandLineDocument(): string {
  const program = commandLine();
  return `${[
    '# Command line',
    'Made by `npm run docs` from what the command knows itself; `mapscope COMMAND --help` says the same.',
    ...visible(program).flatMap(commandSection),
    ...REPORTS,
    ...configurationSection(),
  ].join('\n\n')}\n`;
}

/** Without those that only shells call, and without help itself. */
function visible(program: Command): Command[] {
  // A command without commands has none to help with.
  const shown = program.commands.length === 0 ? [] : program.createHelp().visibleCommands(program);
  return program.commands.filter((command) => shown.includes(command));
}

const REPORTS = [
  '## Reports',
  table(
    [
      '`--format`',
      'of one target',
      'of several: `--exe`, images of one process, programs executed one after the other',
    ],
    [
      ['`table`', 'for people', 'one after the other'],
      [
        '`json`',
        code(`{ "schema": "${SUMMARY_SCHEMA}", "target": …, … }`),
        `one document: ${code(`{ "schema": "${SUMMARIES_SCHEMA}", "targets": [ summary, … ] }`)}`,
      ],
      ['`jsonl`', 'the summary in one line', 'a summary a line, never an envelope'],
    ],
  ).join('\n'),
  'What a summary holds says `src/report/summary/schema.ts`, field by field; within v1 fields are only added. `verify` has one target, and documents with the schema `mapscope/verify/v1`. How a program started by `run` or `verify` has ended is in `target.exitCode`, or in `target.signal` (`SIGSEGV`) when a signal ended it.',
  '`--output` is opened before anything is observed. The report is written beside the file and takes its place as a whole at the end; what does not fit there is on stdout.',
];

function commandSection(command: Command): string[] {
  const own = visible(command);
  if (own.length > 0) {
    return own.flatMap(commandSection);
  }
  const name = command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();
  const usage = `\`\`\`\nmapscope ${name} ${command.usage()}\n\`\`\``;
  const groups = Map.groupBy(command.options, ({ helpGroupHeading }) => helpGroupHeading ?? 'Options:');
  return [
    `## mapscope ${name}`,
    sentence(command.description()),
    usage,
    ...argumentTable(command),
    ...[...groups].map(([heading, options]) => optionTable(heading.replace(':', ''), options)),
  ];
}

/** Arguments whose values can be listed. */
function argumentTable(command: Command): string[] {
  const rows = command.registeredArguments.flatMap((argument) =>
    argument.argChoices === undefined
      ? []
      : [[code(`<${argument.name()}>`), argument.argChoices.map(code).join(', ')]],
  );
  return rows.length === 0 ? [] : [table(['Argument', 'one of'], rows).join('\n')];
}

function optionTable(heading: string, options: readonly Option[]): string {
  return table(
    [heading, 'meaning'],
    options.map(({ flags, description, argChoices }) => [
      code(flags),
      argChoices?.join(' or ') ?? description,
    ]),
  ).join('\n');
}

function configurationSection(): string[] {
  const named = SETTING_NAMES.filter((name) => optionName(name) !== `--${name}`);
  return [
    '## Configuration file',
    `\`--config FILE\` reads the same settings from YAML, under the option's name in camel case: \`otlpEndpoint\` for \`--otlp-endpoint\`. Lists may be YAML lists. An option on the command line takes precedence. \`docs/config.schema.json\` describes the file for editors; a first line \`# yaml-language-server: $schema=PATH\` makes them use it.`,
    table(
      ['setting', 'option'],
      named.map((name) => [code(name), code(optionName(name) + argumentOf(name))]),
    ).join('\n'),
    '### Which processes',
    'Only the file has `targets`, a list of rules, and `withoutExclusions`, names of built-in exclusions to turn off. A rule is `include:` or `exclude:` with criteria that must all hold. The first rule that matches a process decides; a process that none matches is left alone. Built-in exclusions apply whatever the rules say.',
    table(
      ['criterion', 'meaning'],
      Object.entries(CRITERIA).map(([name, { help }]) => [code(name), help]),
    ).join('\n'),
    table(
      ['built-in exclusion', 'leaves out'],
      EXCLUSION_NAMES.map((name) => [code(name), EXCLUSIONS[name].what]),
    ).join('\n'),
  ];
}

function argumentOf(name: keyof typeof OPTIONS): string {
  const { argument } = OPTIONS[name];
  return argument === undefined ? '' : ` <${argument}>`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
