import type { MappedBinary } from '../../target/mapped.ts';
import type { Preparation } from '../preparation/preparation.ts';
import { withTypesElsewhere } from './shared-types.ts';

/** What was prepared for a file, in a process that uses some of what is in it from another file instead. */
export function inProcess(preparation: Preparation, target: MappedBinary): Preparation {
  const elsewhere = target.elsewhere();
  if (elsewhere.size === 0) {
    return preparation;
  }
  const used = (address: number) => elsewhere.get(address) ?? address;
  const { stringHash, tables } = preparation;
  return {
    ...preparation,
    tables: withTypesElsewhere(tables, elsewhere),
    stringHash: stringHash && { schedule: used(stringHash.schedule), flag: used(stringHash.flag) },
  };
}
