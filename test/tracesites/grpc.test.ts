import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileInMemory } from '../../src/gobinary/file/file.ts';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';
import {
  BUNDLERS,
  CALLS,
  described,
  dwarfOffset,
  dwarfStructure,
  followed,
  LOOKUPS,
  NEWEST,
  open,
  PIE,
  planOf,
  SHOP,
  STRIPPED,
} from './binaries.ts';

const LONG = { timeout: 600_000 };
const TRANSPORT = 'google.golang.org/grpc/internal/transport';
const HEADERS = `${TRANSPORT}.(*http2Server).operateHeaders`;
const REQUEST = 'grpcRequest google.golang.org/grpc.(*Server).handleStream transport=1 stream=7';
const LATER = [
  `grpcHeaders ${HEADERS} transport=0 frame=7`,
  REQUEST,
  `grpcDone ${TRANSPORT}.(*http2Server).writeStatus transport=0 stream=3`,
];

for (const { dir, version, libraries, expected, stream } of [
  {
    dir: CALLS,
    version: '1.20.14',
    libraries: [],
    // Without frame pointers to save, the stack check's branch is all there is before the arguments are gone.
    expected: [
      `grpcHeaders ${HEADERS} transport=0 frame=3 repeats`,
      REQUEST,
      `grpcDone ${TRANSPORT}.(*http2Server).WriteStatus transport=0 stream=3 repeats`,
    ],
    stream: 'itself',
  },
  { dir: SHOP, version: '1.23.12', libraries: [], expected: LATER, stream: 'pointer' },
  { dir: SHOP, version: 'local', libraries: [], expected: LATER, stream: 'pointer' },
  { dir: SHOP, version: '1.27.4', libraries: [], expected: LATER, stream: 'pointer' },
  { dir: CALLS, version: '1.27.4', libraries: NEWEST, expected: LATER, stream: 'within' },
]) {
  test(`gRPC requests, Go ${version} ${libraries}`, LONG, async () => {
    const binary = await open(dir, version, libraries);
    const { sites, offsets } = followed(binary, 'grpc');
    assert.deepEqual(described(sites), expected);
    const id = dwarfOffset(binary, [`${TRANSPORT}.Stream`, 'id']);
    const embedded = () => dwarfOffset(binary, [`${TRANSPORT}.ServerStream`, 'Stream']);
    const HTTP2 = 'golang.org/x/net/http2';
    const FIELD = `${HTTP2}/hpack.HeaderField`;
    assert.deepEqual(offsets, {
      headersFrame: dwarfOffset(binary, [`${HTTP2}.MetaHeadersFrame`, 'HeadersFrame']),
      frameStreamId: dwarfOffset(
        binary,
        [`${HTTP2}.HeadersFrame`, 'FrameHeader'],
        [`${HTTP2}.FrameHeader`, 'StreamID'],
      ),
      fields: dwarfOffset(binary, [`${HTTP2}.MetaHeadersFrame`, 'Fields']),
      fieldSize: dwarfStructure(binary, FIELD).size,
      fieldName: dwarfOffset(binary, [FIELD, 'Name']),
      fieldValue: dwarfOffset(binary, [FIELD, 'Value']),
      embeddedStream: stream === 'pointer' ? embedded() : undefined,
      streamId: stream === 'within' ? embedded() + id : id,
    });
    for (const flags of [STRIPPED, PIE]) {
      if (flags === PIE && dir === SHOP) {
        continue;
      }
      const other = followed(await open(dir, version, [...libraries, ...flags]), 'grpc');
      assert.deepEqual(described(other.sites), expected, flags.join());
      assert.deepEqual(other.offsets, offsets);
    }
  });
}

test('programs without a gRPC server', LONG, async () => {
  const programs = [await open(LOOKUPS, '1.27.4'), ...BUNDLERS.map((path) => openGoBinary(path))];
  for (const binary of programs) {
    assert.deepEqual(planOf(binary, 'grpc'), { source: 'grpc', outcome: 'absent' });
  }
});

test('a structure that does not have a field of the name is refused', LONG, async () => {
  const binary = await open(SHOP, '1.27.4');
  const renamed = readFileSync(binary.path);
  // An exported name as type descriptors have it: flags, length, text.
  const name = Buffer.from('\x01\x08StreamID', 'latin1');
  for (let at = renamed.indexOf(name); at >= 0; at = renamed.indexOf(name, at + 1)) {
    renamed.write('StreamIx', at + 2);
  }
  assert.deepEqual(planOf(readGoBinary(fileInMemory(binary.path, renamed)), 'grpc'), {
    source: 'grpc',
    outcome: 'refused',
    reason: 'its http2.FrameHeader has no field StreamID',
  });
});
