import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  firstWords,
  groupsOf,
  type Place,
} from './completed.ts';

/** The script that tells bash, from version 4 on, how to complete the command. It needs no package beside bash. */
export function bashScript({ name, options, commands }: Completed): string {
  return `# Completion of ${name} for bash. In ~/.bashrc: source <(${name} completion bash)

# Go processes, a line each: id, blank, path of the executable.
_${name}_processes() {
    "\${COMP_WORDS[0]/#\\~/$HOME}" go-processes 2>/dev/null
}

_${name}_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_${name}_list() {
    local before='' word
    [[ $cur == *,* ]] && before=\${cur%,*},
    compopt -o nospace 2>/dev/null
    for word in $1; do
        [[ ,$before == *,$word,* || $before$word != "$cur"* ]] || COMPREPLY+=("$before$word")
    done
}

_${name}_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_${name}_pids() {
    local pid path
    while read -r pid path; do
        [[ $pid == "$cur"* ]] && COMPREPLY+=("$pid (\${path##*/})")
    done < <(_${name}_processes)
    # Names are to look at. What is put into the line, or is passed through one after the other, goes without.
    if (( \${#COMPREPLY[@]} == 1 || \${COMP_TYPE:-0} == 37 )); then
        COMPREPLY=("\${COMPREPLY[@]%% (*}")
    fi
}

_${name}_executables() {
    _${name}_words "$(_${name}_processes | sed 's|^[0-9]* ||; s|.*/||' | sort -u)"
}

# A program and its arguments, from word number $1 on.
_${name}_program() {
    if declare -F _command_offset >/dev/null; then
        _command_offset "$1"
    elif (( COMP_CWORD == $1 )) && [[ $cur != */* ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    else
        _${name}_files
    fi
}

_${name}() {
    local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command='' argument=0 word i
    COMPREPLY=()
    # bash takes --name=value for three words.
    if [[ $cur == = ]]; then
        cur=''
    elif [[ $prev == = ]]; then
        prev=\${COMP_WORDS[COMP_CWORD-2]}
    fi
    for (( i = 1; i < COMP_CWORD && argument == 0; i++ )); do
        word=\${COMP_WORDS[i]}
        if [[ -z $command || $command == @(${groupsOf(commands).join('|')}) ]]; then
            [[ $word == -* ]] || command="\${command:+$command }$word"
        elif [[ $word == -- ]]; then
            argument=$(( i + 1 ))
        elif [[ $word != -* ]]; then
            argument=$i
        else
            case "$command $word" in
            ${valuedOptions(commands)})
                [[ \${COMP_WORDS[i+1]-} == = ]] && (( i++ ))
                (( i++ ))
                ;;
            esac
        fi
    done
    case $command in
    '')
        _${name}_words '${[...firstWords(commands).map((command) => command.name), ...namesOf(options)].join(' ')}'
        ;;
${commands.map((command) => commandCase(name, command)).join('\n')}
    esac
}

complete -F _${name} ${name}
`;
}

/** Patterns of "command option" for options that a value follows; one that matches nothing where there are none. */
function valuedOptions(commands: readonly CompletedCommand[]): string {
  const patterns = commands.flatMap(({ name, options }) =>
    namesOf(options.filter(({ value }) => value !== undefined)).map((option) => `'${name} ${option}'`),
  );
  return patterns.length === 0 ? "''" : patterns.join(' | ');
}

function commandCase(program: string, { name, options, argument }: CompletedCommand): string {
  const values = options.flatMap(({ names, value }) =>
    value === undefined ? [] : [`        ${names.join(' | ')}) ${completing(program, value)}; return ;;`],
  );
  const choices = namesOf(options).join(' ');
  return [
    `    '${name}')`,
    // What stands after a program is the program's.
    '        if (( argument == 0 )); then case $prev in',
    ...(values.length === 0 ? ["        '') ;;"] : values),
    '        esac; fi',
    ...argumentLines(program, argument),
    `        if (( argument == 0 )); then _${program}_words '${choices}'; fi`,
    '        ;;',
  ].join('\n');
}

function argumentLines(program: string, argument: Place | undefined): string[] {
  if (argument === undefined) {
    return [];
  }
  if (argument.kind === 'program') {
    return [
      `        (( argument > 0 )) && { _${program}_program "$argument"; return; }`,
      `        [[ $cur != -* ]] && { _${program}_program "$COMP_CWORD"; return; }`,
    ];
  }
  return [
    `        if [[ $cur != -* ]] && (( argument == 0 || argument == COMP_CWORD )); then ${completing(program, argument)}; return; fi`,
  ];
}

/** What fills COMPREPLY. */
function completing(program: string, place: Place): string {
  switch (place.kind) {
    case 'word':
      return `_${program}_words '${place.words.join(' ')}'`;
    case 'list':
      return `_${program}_list '${place.words.join(' ')}'`;
    case 'file':
      return `_${program}_files`;
    case 'process':
      return `_${program}_pids`;
    case 'executable':
      return `_${program}_executables`;
    case 'program':
      return `_${program}_program "$COMP_CWORD"`;
    case 'text':
      return ':';
  }
}

function namesOf(options: readonly CompletedOption[]): string[] {
  return options.flatMap(({ names }) => names);
}
