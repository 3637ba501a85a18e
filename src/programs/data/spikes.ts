import { encodeRecords } from '../../kernel/records.ts';
import type { SpikeThreshold } from '../../model/spike.ts';

/** The variable `spikes` of the program's read-only data. Left out it is all zero: nothing is a spike. */
export function spikeData(threshold: SpikeThreshold | undefined): Record<string, Uint8Array> {
  if (threshold === undefined) {
    return {};
  }
  const limit = 'limit' in threshold ? { fixed: threshold.limit } : { factor: threshold.factor };
  return { spikes: encodeRecords('spike_settings', [{ enabled: 1, ...limit }]) };
}
