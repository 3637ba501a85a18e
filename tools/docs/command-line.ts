import type { Command, Option } from 'commander';
import { commandLine } from '../../src/cli/command-line.ts';
import { CRITERIA } from '../../src/config/criteria.ts';
import { OPTIONS, optionName, SETTING_NAMES } from '../../src/config/options.ts';
import { EXCLUSION_NAMES, EXCLUSIONS } from '../../src/target/finding/built-in-exclusions.ts';
import { code, table } from './markdown.ts';

/** docs/command-line.md: every command and option, as the command itself has them. */
export function commandLineDocument(): string {
  const program = commandLine();
  return `${[
    '# Command line',
    'Made by `npm run docs` from what the command knows itself; `mapscope COMMAND --help` says the same.',
    ...program.commands.flatMap(commandSection),
    ...configurationSection(),
  ].join('\n\n')}\n`;
}

function commandSection(command: Command): string[] {
  const usage = `\`\`\`\nmapscope ${command.name()} ${command.usage()}\n\`\`\``;
  const groups = Map.groupBy(command.options, ({ helpGroupHeading }) => helpGroupHeading ?? 'Options:');
  return [
    `## mapscope ${command.name()}`,
    sentence(command.description()),
    usage,
    ...[...groups].map(([heading, options]) => optionTable(heading.replace(':', ''), options)),
  ];
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
