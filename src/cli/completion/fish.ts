import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  firstWords,
  groupsOf,
  type Place,
} from './completed.ts';

/** The script that tells fish how to complete the command. */
export function fishScript({ name, options, commands }: Completed): string {
  const valued = [...commands].flatMap((command) =>
    command.options
      .filter(({ value }) => value !== undefined)
      .flatMap(({ names }) => names.map((option) => quoted(`${command.name} ${option}`))),
  );
  return `# Completion of ${name} for fish. In ~/.config/fish/config.fish: ${name} completion fish | source

# Go processes, a line each: id, tab, path of the executable: fish shows what is behind a tab.
function __${name}_processes
    eval (commandline -opc)[1] go-processes 2>/dev/null | string replace ' ' \\t
end

function __${name}_executables
    __${name}_processes | string replace -r '^\\\\d+\\\\t(.*/)?' '' | sort -u
end

# Of the words before the cursor: the command, and the number of the one that its options end before; 0: they go on.
function __${name}_parsed
    set -l words (commandline -opc)
    set -l command ''
    set -l argument 0
    set -l i 2
    while test $i -le (count $words)
        set -l word $words[$i]
        if test -z "$command"
            string match -q -- '-*' $word; or set command $word
        else if contains -- $command ${groupsOf(commands).join(' ')}
            string match -q -- '-*' $word; or set command "$command $word"
        else if test "$word" = --
            set argument (math $i + 1)
            break
        else if string match -q -- '-*' $word
            contains -- "$command $word" ${valued.join(' ')}; and set i (math $i + 1)
        else
            set argument $i
            break
        end
        set i (math $i + 1)
    end
    echo $command
    echo $argument
end

# Whether command $argv[1] is being typed, and still its options.
function __${name}_in
    set -l parsed (__${name}_parsed)
    test "$parsed[1]" = "$argv[1]" -a "$parsed[2]" = 0
end

# The same, when options may have ended.
function __${name}_of
    set -l parsed (__${name}_parsed)
    test "$parsed[1]" = "$argv[1]"
end

# A program and its arguments, as if they had been typed alone.
function __${name}_program
    set -l parsed (__${name}_parsed)
    set -l words (commandline -opc)
    set -l typed
    test $parsed[2] -gt 0 -a $parsed[2] -le (count $words); and set typed (string escape -- $words[$parsed[2]..-1])
    complete -C (string join ' ' -- $typed (commandline -ct))
end

complete -c ${name} -f
${[
  ...options.map((option) => optionLine(name, `__${name}_in ''`, option)),
  ...firstWords(commands).map(
    (command) =>
      `complete -c ${name} -n "__${name}_in ''" -a ${command.name} -d ${quoted(command.description)}`,
  ),
  ...commands.flatMap((command) => commandLines(name, command)),
].join('\n')}
`;
}

function commandLines(program: string, { name, options, argument }: CompletedCommand): string[] {
  const inOptions = `__${program}_in '${name}'`;
  const lines = options.map((option) => optionLine(program, inOptions, option));
  if (argument === undefined) {
    return lines;
  }
  const condition = argument.kind === 'program' ? `__${program}_of '${name}'` : inOptions;
  return [...lines, `complete -c ${program} -n "${condition}" ${placeFlags(program, argument, false)}`];
}

function optionLine(
  program: string,
  condition: string,
  { names, description, value }: CompletedOption,
): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const following = value === undefined ? [] : [placeFlags(program, value, true)];
  return [
    `complete -c ${program} -n "${condition}"`,
    ...flags,
    ...following,
    `-d ${quoted(description)}`,
  ].join(' ');
}

/** What may stand there. @param isValue after an option, which cannot be without it */
function placeFlags(program: string, place: Place, isValue: boolean): string {
  const flag = isValue ? '-x ' : '';
  switch (place.kind) {
    case 'word':
      return `${flag}-a ${quoted(place.words.join(' '))}`;
    case 'list':
      return `${flag}-a ${quoted(`(__fish_append , ${place.words.join(' ')})`)}`;
    case 'file':
      return isValue ? '-r -F' : '-F';
    case 'process':
      return `${flag}-a ${quoted(`(__${program}_processes)`)}`;
    case 'executable':
      return `${flag}-a ${quoted(`(__${program}_executables)`)}`;
    case 'program':
      return `${flag}-a ${quoted(`(__${program}_program)`)}`;
    case 'text':
      return '-x';
  }
}

/** In single quotes, as the shell takes text for itself. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
