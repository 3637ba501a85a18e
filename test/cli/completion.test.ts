// Real shells complete the command, with what it says of itself.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { commandLine as definitions } from '../../src/cli/command-line.ts';
import { completed, firstWords, type Place } from '../../src/cli/completion/completed.ts';
import { commandLine, mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const run = promisify(execFile);
const LIMIT = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'mapscope-completion-'));
const program = completed(definitions());
let service: ChildProcess;
after(() => {
  service.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const NAME = `completed-${process.pid}`;

before(async () => {
  mkdirSync(join(folder, 'bin'));
  const words = commandLine().map((word) => `'${word}'`);
  writeFileSync(join(folder, 'bin/mapscope'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'a file.yaml'), '');
  const steady = await buildGo({ dir: join(import.meta.dirname, '../services/steady'), version: 'local' });
  copyFileSync(steady, join(folder, NAME));
  service = spawn(join(folder, NAME), ['-rate', '1'], { stdio: 'ignore' });
});

/** What a shell offers where the last of some words is being typed. */
type Complete = (...words: readonly string[]) => Promise<string[]>;

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder, TERM: 'dumb' };
}

async function outputOf(shell: string, ...args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(shell, args, { env: environment(), cwd: folder });
  return stdout.split('\n').filter((line) => line !== '');
}

const bash: Complete = (...words) => {
  const script = `
    source <(mapscope completion bash)
    COMP_WORDS=("$@") COMP_CWORD=$(( $# - 1 ))
    _mapscope
    printf '%s\n' "\${COMPREPLY[@]}"`;
  // bash takes = for a word of its own.
  const split = ['mapscope', ...words].flatMap((word) => {
    const [, name, value] = /^(--[\w-]+)=(.*)$/.exec(word) ?? [];
    return name === undefined || value === undefined ? [word] : [name, '=', ...(value === '' ? [] : [value])];
  });
  return outputOf('bash', '--norc', '--noprofile', '-c', script, 'bash', ...split);
};

const fish: Complete = async (...words) => {
  const script = 'mapscope completion fish | source; complete -C (string join " " -- mapscope $argv)';
  const lines = await outputOf('fish', '--no-config', '-c', script, ...words);
  return lines.map((line) => line.split('\t')[0] ?? '');
};

/** Has zsh show what it would offer instead of offering it, each on a line of its own, and end. */
const SHOWING = `
autoload -Uz compinit
compinit -u -D
source <(mapscope completion zsh)
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a offered
  builtin compadd -A offered "$@"
  local word
  for word in $offered; do
    print -r -- $'\n'"<offered $word>"
  done
  builtin compadd "$@"
}
finish() {
  print -r -- $'\n<end>'
  exit
}
comppostfuncs=(finish)
bindkey '^I' complete-word
print -r -- $'\n<begin>'
`;

/** Types a line and a tab into a zsh that has a terminal. */
const TYPING = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source $1"
zpty -r -m shell shown '*<begin>*'
zpty -w -n shell "$2"$'\t'
zpty -r -m shell shown '*<end>*'
print -r -- $shown
zpty -d shell
`;

const zsh: Complete = async (...words) => {
  const setUp = join(folder, 'showing.zsh');
  writeFileSync(setUp, SHOWING);
  const lines = await outputOf('zsh', '-f', '-c', TYPING, 'zsh', setUp, ['mapscope', ...words].join(' '));
  return [...new Set(lines.flatMap((line) => /<offered (.*)>\r?$/.exec(line)?.[1] ?? []))];
};

for (const [shell, complete] of Object.entries({ bash, fish, zsh })) {
  const skip = spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed`;
  const check = (name: string, body: () => Promise<void>) =>
    test(`${shell}: ${name}`, { ...LIMIT, skip }, body);
  /** Some shells show nothing, or = with it, where the place is still empty. */
  const offers = async (words: readonly string[], expected: readonly string[], exact = true) => {
    const found = (await complete(...words)).map((word) => word.replace(/=$/, ''));
    const missing = expected.filter((word) => !found.includes(word));
    assert.deepEqual(missing, [], `${words.join(' ')}: ${found.join(' ')}`);
    if (exact) {
      assert.deepEqual(
        found.filter((word) => !expected.includes(word)),
        [],
        words.join(' '),
      );
    }
  };

  check('commands', async () => {
    const names = firstWords(program.commands).map(({ name }) => name);
    assert.ok(names.includes('completion') && !names.includes('go-processes'));
    await offers([''], names, false);
    await offers(['att'], ['attach']);
    await offers(['help', ''], names);
  });

  for (const { name, options, argument } of program.commands) {
    const long = options.flatMap(({ names }) => names.filter((one) => one.startsWith('--')));
    const flag = long.filter((one) => ['--verify', '--allow-unknown-go'].includes(one)).slice(0, 1);
    check(`options of ${name}`, async () => {
      if (long.length > 0) {
        await offers([...name.split(' '), '--'], long);
      }
    });
    for (const { names, value } of options) {
      const [option = ''] = names.toReversed();
      if (wordsOf(value).length > 0) {
        check(`values of ${name} ${option}`, async () => {
          await offers([...name.split(' '), option, ''], wordsOf(value), value?.kind === 'word');
          const [first = ''] = wordsOf(value);
          await offers(
            [...name.split(' '), ...flag, option, first.slice(0, 3)],
            [first],
            value?.kind === 'word',
          );
        });
      }
    }
    if (wordsOf(argument).length > 0) {
      check(`what ${name} is of`, () => offers([name, ''], wordsOf(argument)));
    }
  }

  check('a value after = and one after a comma', async () => {
    const found = await complete('attach', '--mode=w');
    assert.deepEqual(
      found.map((word) => word.replace(/^--mode=/, '')),
      ['windows'],
    );
    const several = await complete('run', '--trace-sources', 'labels,s');
    assert.deepEqual(
      several.map((word) => word.replace(/^labels,/, '')),
      ['sdk'],
    );
  });

  check('Go processes, by id and by name, and no others', async () => {
    for (const command of ['attach', 'verify', 'doctor']) {
      const pids = (await complete(command, '--pid', '')).map((word) => word.split(' ')[0]);
      assert.ok(pids.includes(`${service.pid}`), `${command}: ${pids}`);
      assert.ok(!pids.includes(`${process.pid}`), 'Node.js is no Go program');
    }
    await offers(['attach', '--pid', `${service.pid}`], [`${service.pid}`], false);
    assert.ok((await complete('attach', '--exe', 'completed-')).includes(NAME));
  });

  check('files', async () => {
    for (const words of [
      ['run', '--config', 'a'],
      ['attach', '--output', 'a'],
      ['scan', 'a'],
      ['config', 'validate', 'a'],
    ]) {
      const found = (await complete(...words)).map((word) => word.replaceAll('\\', ''));
      assert.deepEqual(found, ['a file.yaml'], words.join(' '));
    }
  });

  check("a program is completed, and what follows it is the program's own", async () => {
    for (const before of [['run'], ['run', '--mode', 'all'], ['run', '--verify', '--'], ['verify']]) {
      assert.ok((await complete(...before, 'mapsc')).includes('mapscope'), before.join(' '));
      const own = await complete(...before, 'cat', '--mo');
      assert.ok(!own.includes('--mode') && !own.includes('--mode='), before.join(' '));
    }
  });
}

function wordsOf(place: Place | undefined): readonly string[] {
  return place?.kind === 'word' || place?.kind === 'list' ? place.words : [];
}

test('the processes are told with their paths, one a line', LIMIT, async () => {
  const { status, stdout } = await mapscope(['go-processes']);
  assert.equal(status, 0);
  assert.ok(stdout.split('\n').includes(`${service.pid} ${join(folder, NAME)}`), stdout);
});

test('another shell is refused', LIMIT, async () => {
  const { status, stderr } = await mapscope(['completion', 'tcsh']);
  assert.match(stderr, /^mapscope: .*'tcsh' is invalid.*Allowed choices are bash, zsh, fish/);
  assert.equal(status, 2);
});
