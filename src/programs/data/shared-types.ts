import { fieldOffset, RecordReader } from '../../kernel/records.ts';
import { placeAddresses } from './address-places.ts';
import { addressKeys, indexKeys, type MapContents, type TypeTables } from './type-tables.ts';

/** The address of what a file has, to that of what its process uses instead: link-time addresses of that file. */
type Elsewhere = ReadonlyMap<number, number>;

/** The tables of a file some of whose types its process uses from another file: those have entries under both addresses. */
export function withTypesElsewhere(tables: TypeTables, elsewhere: Elsewhere): TypeTables {
  if (elsewhere.size === 0) {
    return tables;
  }
  return {
    ...tables,
    ...mapTypesIn(tables, elsewhere),
    dynamicTypes: withKeysElsewhere(tables.dynamicTypes, elsewhere),
  };
}

function mapTypesIn(
  { mapTypes }: TypeTables,
  elsewhere: Elsewhere,
): Pick<TypeTables, 'mapTypes' | 'mapTypePlaces'> {
  const { size } = new RecordReader('map_type_entry');
  const at = fieldOffset('map_type_entry', 'address');
  const own = Array.from({ length: mapTypes.count }, (_, i) =>
    Buffer.from(mapTypes.values.subarray(i * size, (i + 1) * size)),
  );
  const entries = own.flatMap((entry) => {
    const used = elsewhere.get(Number(entry.readBigUInt64LE(at)));
    if (used === undefined) {
      return [entry];
    }
    const copy = Buffer.from(entry);
    copy.set(addressKeys([used]), at);
    return [entry, copy];
  });
  const { places, indices } = placeAddresses(entries.map((entry) => Number(entry.readBigInt64LE(at))));
  return {
    mapTypes: {
      keys: indexKeys([...indices.values()]),
      values: Buffer.concat([...indices.keys()].map((i) => entries[i] as Buffer)),
      count: indices.size,
    },
    mapTypePlaces: places,
  };
}

/** The contents of a map whose keys are addresses: what is used from elsewhere is in it under both. */
function withKeysElsewhere({ keys, values, count }: MapContents, elsewhere: Elsewhere): MapContents {
  const size = count === 0 ? 0 : values.length / count;
  const own = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
  const copies = Array.from({ length: count }, (_, i) => i).flatMap((i) => {
    const used = elsewhere.get(Number(own.readBigUInt64LE(8 * i)));
    return used === undefined ? [] : [{ used, value: values.subarray(i * size, (i + 1) * size) }];
  });
  return {
    keys: Buffer.concat([own, addressKeys(copies.map(({ used }) => used))]),
    values: Buffer.concat([values, ...copies.map(({ value }) => value)]),
    count: count + copies.length,
  };
}
