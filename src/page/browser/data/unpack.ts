import { ByteReader } from '../../format/bytes.ts';
import type { PackedIntervals } from '../../format/document.ts';
import type { PackedInterval } from '../../format/interval.ts';

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function blocksOf(text: string, compressed: boolean): Promise<Uint8Array[]> {
  const packed = fromBase64(text);
  const from = new ByteReader(compressed ? await inflate(packed) : packed);
  const blocks: Uint8Array[] = [];
  while (!from.isAtEnd) {
    blocks.push(from.block());
  }
  return blocks;
}

/** The intervals of a part of the history, oldest first. */
export async function unpack({ compressed, heads, cells }: PackedIntervals): Promise<PackedInterval[]> {
  const [first, bodies] = await Promise.all([
    blocksOf(heads, compressed),
    cells === null ? [] : blocksOf(cells, compressed),
  ]);
  return first.map((head, i) => ({ head, cells: bodies[i] }));
}
