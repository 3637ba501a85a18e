import type { Argument, Command, Option } from 'commander';
import { OPTIONS } from '../../config/options.ts';
import type { Settings } from '../../config/settings.ts';

/** What may stand in a place of the command line. */
export type Place =
  /** One of these words, or several with commas between them. */
  | { readonly kind: 'word' | 'list'; readonly words: readonly string[] }
  /** A file; the id of a Go process; the name of what a Go process executes; a program with its arguments; whatever one likes. */
  | { readonly kind: 'file' | 'process' | 'executable' | 'program' | 'text' };

/** An option as a shell completes it. */
export interface CompletedOption {
  /** With their hyphens. */
  readonly names: readonly string[];
  readonly description: string;
  /** What follows; undefined where nothing does. */
  readonly value?: Place;
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** What follows the options, if anything does. */
  readonly argument?: Place;
}

/** All that a shell has to know, from the definitions that help and the reference are made of. */
export interface Completed extends CompletedCommand {
  readonly commands: readonly CompletedCommand[];
}

/** What completion has to know of a command with its own commands. */
export function completed(program: Command): Completed {
  const commands = program.createHelp().visibleCommands(program);
  const names = commands.map((command) => command.name());
  return { ...commandOf(program, names), commands: commands.flatMap((command) => withOwn(command, names)) };
}

/** A command, and those that it consists of: `config`, `config print`, ... */
function withOwn(command: Command, names: readonly string[]): CompletedCommand[] {
  const own = command.commands.map((one) => commandOf(one, []));
  const name = command.name();
  return [commandOf(command, names), ...own.map((one) => ({ ...one, name: `${name} ${one.name}` }))];
}

/** The names of commands that consist of others. */
export function groupsOf(commands: readonly CompletedCommand[]): string[] {
  const parts = commands.map(({ name }) => name.split(' '));
  return [...new Set(parts.flatMap(([first = '', ...others]) => (others.length > 0 ? [first] : [])))];
}

/** Those that may be the first word. */
export function firstWords(commands: readonly CompletedCommand[]): CompletedCommand[] {
  return commands.filter(({ name }) => !name.includes(' '));
}

function commandOf(command: Command, commands: readonly string[]): CompletedCommand {
  const [argument] = command.registeredArguments;
  return {
    name: command.name(),
    description: command.description(),
    options: optionsOf(command),
    ...(argument !== undefined && { argument: argumentOf(argument, commands) }),
    // Of a command of commands one of them follows, which is a command of its own then.
    ...(isGroup(command) && {
      argument: { kind: 'word', words: command.commands.map((one) => one.name()) },
    }),
  };
}

function isGroup(command: Command): boolean {
  return command.commands.length > 0 && command.parent !== null;
}

function optionsOf(command: Command): CompletedOption[] {
  return command.createHelp().visibleOptions(command).map(optionOf);
}

function optionOf(option: Option): CompletedOption {
  const { flags, short, long, description } = option;
  const names = [short, long].filter((name) => name !== undefined);
  const placeholder = /[<[](\w+)/.exec(flags)?.[1];
  return {
    names,
    description,
    ...(placeholder !== undefined && { value: placeOf(placeholder, wordsOf(option)) }),
  };
}

/** The values of an option: its own, or those of the setting. */
function wordsOf(option: Option): readonly string[] | undefined {
  return option.argChoices ?? OPTIONS[option.attributeName() as keyof Settings]?.values;
}

function argumentOf(argument: Argument, commands: readonly string[]): Place {
  const name = argument.name();
  return placeOf(name, name === 'command' ? commands : argument.argChoices);
}

/** What help shows in a value's place says what may stand there. */
function placeOf(placeholder: string, words: readonly string[] | undefined): Place {
  if (words !== undefined) {
    return { kind: placeholder === 'list' ? 'list' : 'word', words };
  }
  return { kind: KINDS[placeholder] ?? 'text' };
}

const KINDS: Readonly<Record<string, 'file' | 'process' | 'executable' | 'program'>> = {
  file: 'file',
  binary: 'file',
  pid: 'process',
  glob: 'executable',
  program: 'program',
};
