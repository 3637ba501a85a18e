import { textOf } from '../../base/terminal.ts';
import { processFacts } from '../../target/finding/process-facts.ts';
import { processes } from '../../target/finding/process-finder.ts';
import { writeText } from '../write-text.ts';

/** `mapscope go-processes`, for shells: the id of each process that executes a Go program, and after a blank the program's path. */
export async function goProcesses(): Promise<void> {
  const lines = processes()
    .filter((pid) => pid !== process.pid)
    .map(processFacts)
    .flatMap(({ pid, exe, isGo }) => (exe !== undefined && isGo ? [`${pid} ${exe}`] : []));
  await writeText(textOf(lines), undefined);
}
