import { statSync } from 'node:fs';
import { textOf } from '../../base/terminal.ts';
import { mayBeGoBinary } from '../../gobinary/index.ts';
import { executableName, executablePath, findByExecutable } from '../../target/process.ts';
import { writeText } from '../write-text.ts';

/** `mapscope go-processes`, for shells: the id of each process that executes a Go program, and after a blank the program's path. */
export async function goProcesses(): Promise<void> {
  const isGo = rememberingGo();
  const lines = findByExecutable('*').flatMap((pid) => {
    try {
      return isGo(executablePath(pid)) ? [{ pid, name: executableName(pid) }] : [];
    } catch {
      return []; // It has ended meanwhile, or must not be looked at.
    }
  });
  await writeText(textOf(lines.map(({ pid, name }) => `${pid} ${name}`)), undefined);
}

/** Many processes may execute the same file: it is looked at once. */
function rememberingGo(): (path: string) => boolean {
  const known = new Map<string, boolean>();
  return (path) => {
    const { dev, ino } = statSync(path, { bigint: true });
    const file = `${dev}:${ino}`;
    const isGo = known.get(file) ?? mayBeGoBinary(path);
    known.set(file, isGo);
    return isGo;
  };
}
