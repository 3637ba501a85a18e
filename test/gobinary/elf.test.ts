import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type BinaryErrorReason, openGoBinary } from '../../src/gobinary/index.ts';
import { elf } from './elffile.ts';
import { removeTemporaryFiles, temporaryFile } from './files.ts';
import { processorTime } from './measure.ts';

function rejects(file: Buffer, reason: BinaryErrorReason, message: RegExp): void {
  const path = temporaryFile(file);
  const took = processorTime(() => {
    assert.throws(() => openGoBinary(path), { name: 'BinaryError', reason, message });
  });
  assert.ok(took < 2000, `${took} ms`);
}

describe('ELF headers', () => {
  after(removeTemporaryFiles);

  test('no segments, no table, no memory', () => {
    rejects(elf([]), 'malformed', /unusable program header table/);
    rejects(elf([{ type: 2 }]), 'not-go', /no loadable segments/);
    rejects(elf([{ memorySize: 0 }]), 'not-go', /no loadable segments/);
    rejects(elf([{ memorySize: 2 ** 40 }]), 'not-go', /no Go function table/);
  });

  test('impossible segments', () => {
    const page = Buffer.alloc(4096);
    rejects(
      elf([{ offset: 0x1000, fileSize: 4096, memorySize: 1 }], page),
      'malformed',
      /impossible loadable segment at 0x0/,
    );
    rejects(elf([{ address: 2 ** 47, memorySize: 1 }]), 'malformed', /impossible/);
    rejects(elf([{ address: 2 ** 62, memorySize: 2 ** 62 }]), 'malformed', /impossible/);
    const overlap = [
      { address: 0x1000, memorySize: 0x2000 },
      { address: 0x2000, memorySize: 0x1000 },
    ];
    rejects(elf(overlap), 'malformed', /impossible loadable segment at 0x2000/);
    rejects(elf([{ offset: 0x1000, fileSize: 4097 }], page), 'truncated', /a segment ends at byte 8193/);
    rejects(elf([{ offset: 2 ** 60, fileSize: 1 }], page), 'truncated', /truncated/);
  });

  test('segments that together hold more than the file', () => {
    const shared = Array.from({ length: 200 }, (_, i) => ({
      address: i * 0x100000,
      offset: 0x3000,
      fileSize: 0x100000,
    }));
    rejects(elf(shared, Buffer.alloc(0x100000), 0x3000), 'malformed', /share the same bytes/);
  });

  test('a dynamic section that leads nowhere', () => {
    const dynamic = Buffer.alloc(64);
    [7n, 0x5000n, 8n, 2n ** 50n, 9n, 24n].forEach((word, i) => {
      dynamic.writeBigUInt64LE(word, 8 * i);
    });
    const headers = [
      { offset: 0x1000, address: 0x1000, fileSize: 64, memorySize: 2 ** 40 },
      { type: 2, address: 0x1000, memorySize: 64 },
    ];
    rejects(elf(headers, dynamic), 'malformed', /relocation table that is not in its memory/);
    rejects(
      elf([headers[0] ?? {}, { type: 2, address: 2 ** 46, memorySize: 64 }], dynamic),
      'malformed',
      /no memory for/,
    );
  });
});
