import type { Command } from 'commander';
import { textOf } from '../../base/terminal.ts';
import { bashScript } from '../completion/bash.ts';
import { type Completed, completed } from '../completion/completed.ts';
import { fishScript } from '../completion/fish.ts';
import type { Shell } from '../completion/shells.ts';
import { zshScript } from '../completion/zsh.ts';
import { writeText } from '../write-text.ts';

const SCRIPTS: Readonly<Record<Shell, (what: Completed) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `mapscope completion SHELL`: the script that tells a shell how to complete a program's commands. */
export async function completion(shell: Shell, program: Command): Promise<void> {
  const script = SCRIPTS[shell](completed(program));
  await writeText(textOf(script.trimEnd().split('\n')), undefined);
}
