import {
  type Completed,
  type CompletedCommand,
  type CompletedOption,
  firstWords,
  groupsOf,
  type Place,
} from './completed.ts';

/** The script that tells zsh how to complete the command: to be sourced, or a file _mapscope in a folder of $fpath. */
export function zshScript({ name, options, commands }: Completed): string {
  return `#compdef ${name}
# Completion of ${name} for zsh. In ~/.zshrc, after compinit: source <(${name} completion zsh)

# Go processes, a line each: id, blank, path of the executable.
_${name}_processes() {
  "\${${name}_called/#\\~/$HOME}" go-processes 2>/dev/null
}

_${name}_pids() {
  local -a found
  found=("\${(@f)$(_${name}_processes)}")
  found=("\${(@)found/ /:}")
  _describe -V 'Go process' found
}

_${name}_executables() {
  local -aU found
  found=("\${(@f)$(_${name}_processes)}")
  found=("\${(@)found#* }")
  found=("\${(@)found##*/}")
  _wanted executables expl 'executable of a Go process' compadd -a found
}

_${name}_programs() {
  _alternative 'commands:program:_command_names -e' 'files:program:_files'
}

_${name}_commands() {
  local -a commands=(
${firstWords(commands)
  .map((command) => `    ${quoted(`${command.name}:${command.description}`)}`)
  .join('\n')}
  )
  _describe -t commands command commands
}

_${name}() {
  local curcontext=$curcontext state state_descr line expl
  local -A opt_args
  local ${name}_called=\${(Q)words[1]}
  _arguments -C ${[...options.map((option) => spec(name, option)), `'1: :_${name}_commands'`, "'*:: :->rest'"].join(' \\\n    ')} && return
  [[ $state == rest ]] || return
  if [[ $words[1] == (${groupsOf(commands).join('|')}) ]] && (( CURRENT > 2 )); then
    words=("$words[1] $words[2]" "\${(@)words[3,-1]}")
    (( CURRENT-- ))
  fi
  curcontext="\${curcontext%:*:*}:${name}-$words[1]:"
  case $words[1] in
${commands.map((command) => commandCase(name, command)).join('\n')}
  esac
}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandCase(program: string, { name, options, argument }: CompletedCommand): string {
  const specs = [...options.map((option) => spec(program, option)), ...argumentSpecs(program, argument)];
  return `    '${name}')\n      ${['_arguments -S', ...specs].join(' \\\n        ')}\n      ;;`;
}

/** `'--mode=[what it does]:mode:(windows all)'`: the value may be a word of its own, too. */
function spec(program: string, { names, description, value }: CompletedOption): string {
  const explanation = `[${description.replace(/[[\]\\]/g, '\\$&')}]`;
  const others = names.length > 1 ? `(${names.join(' ')})` : '';
  const following = value === undefined ? '' : `:value:${action(program, value)}`;
  return names
    .map((name) => {
      const isSplit = value !== undefined && name.startsWith('--');
      return quoted(`${others}${name}${isSplit ? '=' : ''}${explanation}${following}`);
    })
    .join(' ');
}

function argumentSpecs(program: string, argument: Place | undefined): string[] {
  if (argument === undefined) {
    return [];
  }
  // Options end at the program: what follows is completed as if it had been typed alone.
  return argument.kind === 'program'
    ? [`'(-)1:program:_${program}_programs'`, "'*::argument:_normal'"]
    : [quoted(`1:argument:${action(program, argument)}`)];
}

function action(program: string, place: Place): string {
  switch (place.kind) {
    case 'word':
      return `(${place.words.join(' ')})`;
    case 'list':
      return `_values -s , value ${place.words.join(' ')}`;
    case 'file':
      return '_files';
    case 'process':
      return `_${program}_pids`;
    case 'executable':
      return `_${program}_executables`;
    case 'program':
      return `_${program}_programs`;
    case 'text':
      return ' ';
  }
}

/** In single quotes, as the shell takes text for itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
