import assert from 'node:assert/strict';
import { build, toolchains } from './build.ts';
import { section, temporaryFile } from './files.ts';

const plain = (minor: number): string =>
  build({
    program: 'facts',
    toolchain: toolchains.get(minor) ?? '',
    flags: ['-ldflags=-compressdwarf=false'],
  });

/** A program with uncompressed debug information, changed from the name of a runtime structure's entry on. */
export function altered(
  minor: number,
  structure: string,
  change: (file: Buffer, start: number) => void,
): string {
  return temporaryFile(plain(minor), (file) => {
    const { offset, size } = section(file, '.debug_info');
    const name = Buffer.from(`${structure}\0`);
    // The entry itself, not one that mentions it: its name follows the code of its abbreviation, a small number.
    let at = offset;
    do {
      at = file.indexOf(name, at + 1);
    } while (at > 0 && at < offset + size && (file[at - 1] ?? 0) >= 0x29);
    assert.ok(at > offset && at < offset + size);
    change(file, at);
  });
}

export const newest = build({ program: 'facts', toolchain: toolchains.get(27) ?? '' });

/** A copy in which every text of the version, in the build information and in runtime.buildVersion, says Go 1.28. */
export function renumbered(edit?: (file: Buffer) => void): string {
  return temporaryFile(newest, (file) => {
    for (let at = file.indexOf('go1.27'); at >= 0; at = file.indexOf('go1.27', at)) {
      file.write('go1.28', at);
    }
    edit?.(file);
  });
}
