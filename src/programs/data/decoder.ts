import type { GoBinary } from '../../gobinary/index.ts';
import {
  encodeRecords,
  encodeWord,
  member,
  type RecordValues,
  recordConstant,
} from '../../kernel/records.ts';
import type { SpikeThreshold } from '../../model/spike.ts';
import type { Location } from '../../plan/code/analyze.ts';
import type { ProbeSite } from '../../plan/lookups/plan.ts';
import type { Preparation } from '../preparation/preparation.ts';
import { type GoroutineOptions, goroutineRecord } from './goroutines.ts';
import { spikeData } from './spikes.ts';

/**
 * The read-only data of the BPF program: everything about the target that it knows before it is loaded.
 *
 * @param gated whether hits are decoded only while the gate of windows is open
 * @param goroutines what of goroutines and their traces is wanted; without it nothing
 * @param spikes which lookups are spikes; without it none
 */
export function decoderData(
  binary: GoBinary,
  { plan, tables, stringHash }: Omit<Preparation, 'wrappers'>,
  gated: boolean,
  goroutines: GoroutineOptions = {},
  spikes?: SpikeThreshold,
): Record<string, Uint8Array> {
  const most = recordConstant('MAX_PROBE_SITES');
  if (plan.sites.length > most) {
    throw new RangeError(`${plan.sites.length} probe sites, ${most} are possible`);
  }
  const padding: RecordValues<'probe_site'>[] = Array.from({ length: most - plan.sites.length }, () => ({}));
  return {
    probe_sites: encodeRecords('probe_site', [...plan.sites.map(siteRecord), ...padding]),
    layout: encodeRecords('target_layout', [layoutRecord(binary, stringHash, gated)]),
    goroutines: goroutineRecord(binary, goroutines) ?? encodeRecords('goroutine_layout', [{}]),
    ...spikeData(spikes),
    aes_table: aesRoundTable(),
    map_type_places: encodeWord(tables.mapTypePlaces),
  };
}

/**
 * The numbers of the sites plus one by their place within a page, where no other site has that place (bpf/lookup.bpf.c). All that
 * the program that decodes lookups is hit at are these sites.
 */
export function sitesByOffset(sites: readonly ProbeSite[]): Buffer {
  const bytes = recordConstant('PAGE_BYTES');
  const table = Buffer.alloc(bytes);
  const taken = new Set<number>();
  sites.forEach(({ address }, i) => {
    const offset = address % bytes;
    table[offset] = taken.has(offset) ? 0 : i + 1;
    taken.add(offset);
  });
  return table;
}

function siteRecord(site: ProbeSite): RecordValues<'probe_site'> {
  return {
    address: site.address,
    return_offset: site.returnOffset,
    key_class: recordConstant(site.keyClass),
    hash_known: recordConstant(hashKnowledge(site)),
    map_is_storage: Number(site.mapIsStorage),
    lookup_function: site.functionIndex,
    ...member('type', 'value_location', locationRecord(site.type)),
    ...member('map', 'value_location', locationRecord(site.map)),
    ...member('key', 'value_location', locationRecord(site.key)),
    ...member('key_length', 'value_location', locationRecord(site.keyLength)),
    ...member('hash', 'value_location', locationRecord(site.hash)),
  };
}

function hashKnowledge({ hasHash, resumes }: ProbeSite) {
  return !hasHash ? 'HASH_UNKNOWN' : resumes ? 'HASH_KNOWN_RESUMES' : 'HASH_KNOWN';
}

function locationRecord(location: Location | undefined): RecordValues<'value_location'> {
  if (location === undefined) {
    return { home: recordConstant('HOME_NONE') };
  }
  const { addend } = location;
  return location.home === 'register'
    ? { addend, home: recordConstant('HOME_REGISTER'), register_number: location.register }
    : { addend, home: recordConstant('HOME_STACK'), stack_offset: location.offset };
}

function layoutRecord(
  binary: GoBinary,
  hash: Preparation['stringHash'],
  gated: boolean,
): RecordValues<'target_layout'> {
  const swiss = binary.mapImplementation === 'swiss';
  const format = !swiss ? 'FORMAT_CLASSIC' : binary.version.minor >= 27 ? 'FORMAT_STRIDES' : 'FORMAT_SLOTS';
  return {
    implementation: recordConstant(swiss ? 'MAPS_SWISS' : 'MAPS_CLASSIC'),
    map_type_format: recordConstant(format),
    hash_known: Number(hash !== undefined),
    gated: Number(gated),
    aes_schedule: hash?.schedule ?? 0,
    aes_flag: hash?.flag ?? 0,
  };
}

/**
 * One AES round of one byte: SubBytes, then its column of MixColumns, as a little-endian word with the bytes
 * (2s, s, s, 3s), s being the substituted byte. FIPS 197, sections 5.1.1 and 5.1.3.
 */
function aesRoundTable(): Buffer {
  const table = Buffer.alloc(4 * 256);
  const box = aesSubstitution();
  box.forEach((s, i) => {
    const double = multiplyBy2(s);
    table.set([double, s, s, double ^ s], 4 * i);
  });
  return table;
}

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function multiplyBy2(a: number): number {
  return ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;
}

/** The AES S-box: the multiplicative inverse, then an affine map of its bits. Inverses follow from powers of 3. */
function aesSubstitution(): number[] {
  const powers: number[] = [];
  for (let i = 0, a = 1; i < 255; i++, a ^= multiplyBy2(a)) {
    powers.push(a);
  }
  const rotateLeft = (a: number, n: number) => ((a << n) | (a >> (8 - n))) & 0xff;
  return Array.from({ length: 256 }, (_, i) => {
    const inverse = i === 0 ? 0 : (powers[(255 - powers.indexOf(i)) % 255] ?? 0);
    return [1, 2, 3, 4].reduce((sum, n) => sum ^ rotateLeft(inverse, n), inverse) ^ 0x63;
  });
}
