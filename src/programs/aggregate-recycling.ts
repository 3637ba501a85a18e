import type { ProbeObject } from '../kernel/addon.ts';
import { RecordReader, recordConstant, wideRecordConstant } from '../kernel/records.ts';
import type { AggregateRoom } from './data/room.ts';
import type { AggregateName } from './readers/aggregate.ts';
import type { AggregateContents, AggregateReader, TakenBack } from './readers/aggregates.ts';
import { hitsHaveEnded } from './readers/quiet.ts';

/** From which share of aggregates with names on some are taken back, and down to which. */
const FULL = 0.75;
const HALF = 0.5;

/** Aggregates that are in no place of the kernel's table any more, by number. */
interface GivenUp {
  readonly aggregates: ReadonlySet<number>;
  /** Every hit has ended that may have found one of them. */
  isQuiet: boolean;
}

/**
 * Takes aggregates back from names that are hardly used any more, for names that may be: there are programs with more call sites and
 * types than there is room for, and what comes late is not less worth than what came early. First the names lose their places
 * in the kernel's table; when every hit has ended that may still have found them, the counts are read once more, and their aggregates
 * are cleared and handed to the kernel. A hit on such a name makes a new one.
 */
export class AggregateRecycling {
  readonly #kernel: ProbeObject;
  readonly #reader: AggregateReader;
  readonly #room: AggregateRoom;
  #givenUp: GivenUp | undefined;
  /** Aggregates put into the ring so far. */
  #put = 0;

  constructor(kernel: ProbeObject, reader: AggregateReader, room: AggregateRoom) {
    this.#kernel = kernel;
    this.#reader = reader;
    this.#room = room;
  }

  /** To be called before the aggregates are read: waits for the hits that may count under names that were given up. */
  async settle(): Promise<void> {
    if (this.#givenUp !== undefined) {
      this.#givenUp.isQuiet = await hitsHaveEnded(this.#kernel);
    }
  }

  /**
   * To be called after that: takes the aggregates back.
   *
   * @param contents what was read
   * @param isLeft whether a name has become one that is kept apart meanwhile: its aggregates stay
   */
  takeBack(
    contents: AggregateContents,
    isLeft: (name: AggregateName) => boolean,
  ): Pick<TakenBack, 'lookups' | 'gone'> | undefined {
    if (!this.#givenUp?.isQuiet) {
      return undefined;
    }
    const { aggregates } = this.#givenUp;
    this.#givenUp = undefined;
    const taken = this.#reader.takeBack(aggregates, contents, isLeft);
    this.#clear(taken.places);
    this.#handOver(taken.places);
    return taken;
  }

  /**
   * Has names give up their places in the kernel's table, when room gets short.
   *
   * @param lightest the names of one site after the other, those first that nobody will miss
   */
  async makeRoom(lightest: () => readonly (readonly AggregateName[])[]): Promise<void> {
    if (this.#givenUp !== undefined) {
      return;
    }
    const [made = 0] = await this.#words('aggregates_made');
    const taken = (await this.#words('aggregates_free_ends'))[recordConstant('FREE_TAKEN')] ?? 0;
    const inUse = Math.min(made, this.#room.named) - (this.#put - taken);
    if (inUse < FULL * this.#room.named) {
      return;
    }
    const wanted = Math.ceil(inUse - HALF * this.#room.named);
    const names = new Set<AggregateName>();
    for (const site of lightest()) {
      if (names.size >= wanted) {
        break;
      }
      for (const name of site) {
        names.add(name);
      }
    }
    if (names.size > 0) {
      const aggregates = new Set(this.#reader.placesOf(names));
      await this.#unlink(aggregates);
      this.#givenUp = { aggregates, isQuiet: false };
    }
  }

  async #words(map: string): Promise<number[]> {
    const { values, count } = await this.#kernel.readSharedMap(map);
    return Array.from({ length: count }, (_, i) => Number(values.readBigUInt64LE(8 * i)));
  }

  /** Removes their places. */
  async #unlink(gone: ReadonlySet<number>): Promise<void> {
    const { values, count } = await this.#kernel.readSharedMap('aggregate_places');
    const places = Array.from({ length: count }, (_, place) => place).filter(
      // The low half is an aggregate's number plus one.
      (place) => gone.has(values.readUInt32LE(8 * place) - 1),
    );
    this.#write('aggregate_places', places, filled(places.length, wideRecordConstant('GIVEN_UP')));
    await this.#emptyEnds(values, places);
  }

  /** A place that was given up and is the last one before an empty one need not be passed: it is empty, too. */
  async #emptyEnds(before: Buffer, places: readonly number[]): Promise<void> {
    const givenUp = wideRecordConstant('GIVEN_UP');
    const count = before.length / 8;
    const word = (place: number) => before.readBigUInt64LE(8 * (place % count));
    for (const place of places) {
      before.writeBigUInt64LE(givenUp, 8 * place);
    }
    const empty: number[] = [];
    // Backwards, and once more for what lies before the first place.
    for (let place = 2 * count - 1; place >= 0; place--) {
      if (word(place) === givenUp && word(place + 1) === 0n) {
        before.writeBigUInt64LE(0n, 8 * (place % count));
        empty.push(place % count);
      }
    }
    this.#write('aggregate_places', empty, filled(empty.length, 0n));
  }

  #clear(places: readonly number[]): void {
    const { size } = new RecordReader('aggregate');
    this.#write('aggregates', places, Buffer.alloc(size * places.length));
  }

  /** The kernel takes them when it sees that there are more. */
  #handOver(places: readonly number[]): void {
    const numbers = Buffer.alloc(4 * places.length);
    places.forEach((place, i) => {
      numbers.writeUInt32LE(place, 4 * i);
    });
    const ring = places.map((_, i) => (this.#put + i) % this.#room.places);
    this.#write('aggregates_free', ring, numbers);
    this.#put += places.length;
    this.#write('aggregates_free_ends', [recordConstant('FREE_PUT')], filled(1, BigInt(this.#put)));
  }

  #write(map: string, keys: readonly number[], values: Buffer): void {
    const encoded = Buffer.alloc(4 * keys.length);
    keys.forEach((key, i) => {
      encoded.writeUInt32LE(key, 4 * i);
    });
    this.#kernel.updateMap(map, encoded, values, keys.length);
  }
}

/** So many words of 64 bits. */
function filled(count: number, word: bigint): Buffer {
  const words = Buffer.alloc(8 * count);
  for (let i = 0; i < count; i++) {
    words.writeBigUInt64LE(word, 8 * i);
  }
  return words;
}
