/*
 * mapscope as one executable file: Node with the command, the addon and the BPF objects inside (Node's single executable application,
 * whose files are read through a file system in memory). It reads and writes nothing else on disk.
 */
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADDON, NODE, ROOT, runtimeFiles } from './product.ts';
import { run } from './run.ts';

/** @returns the path of the executable */
export async function packOneFile(products: string, addon: string): Promise<string> {
  const output = join(products, 'mapscope-linux-x64');
  const config = join(products, 'one-file.json');
  await writeFile(
    config,
    JSON.stringify({
      main: join(ROOT, 'src/cli/one-file.mjs'),
      mainFormat: 'module',
      output,
      useVfs: true,
      disableExperimentalSEAWarning: true,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      assets: { ...runtimeFiles(), [ADDON]: addon },
    }),
  );
  await rm(output, { force: true });
  await run(NODE, ['--build-sea', config], { cwd: ROOT });
  await rm(config);
  await chmod(output, 0o755);
  return output;
}
