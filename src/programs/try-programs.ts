import { messageOf } from '../base/errors.ts';
import { encodeRecords, encodeWord, recordConstant } from '../kernel/records.ts';
import { aggregateRoom, scratchRoom } from './data/room.ts';
import { loadObject, type ObjectOptions } from './objects.ts';

/** Places of a table: a power of two, as the programs take for granted. */
const PLACES = 2;

const IMPLEMENTATIONS = ['MAPS_CLASSIC', 'MAPS_SWISS'] as const;

type Implementation = (typeof IMPLEMENTATIONS)[number];

/**
 * Loads the programs once, for no target, with all that a target and the options can ask of them: only the kernel's verifier knows
 * whether it takes them.
 *
 * @returns sentences about what it does not take; empty when all is well
 */
export async function tryPrograms(): Promise<string[]> {
  const all = IMPLEMENTATIONS.flatMap((maps) => [...decoding(maps), following(maps)]);
  // Beside one another: the verifier takes its time for each, and somebody waits.
  const loaded = await Promise.allSettled(
    all.map(async (options) => (await loadObject(options)).kernel.close()),
  );
  const failures = loaded.filter((one) => one.status === 'rejected');
  return [...new Set(failures.map(({ reason }) => messageOf(reason)))];
}

/** The programs that decode lookups. */
function decoding(maps: Implementation): ObjectOptions[] {
  const layout = {
    implementation: recordConstant(maps),
    map_type_format: recordConstant(maps === 'MAPS_CLASSIC' ? 'FORMAT_CLASSIC' : 'FORMAT_STRIDES'),
    hash_known: 1,
    gated: 1,
  };
  const readOnlyData = {
    layout: encodeRecords('target_layout', [layout]),
    map_type_places: encodeWord(PLACES),
    ...scratchRoom(1).readOnlyData,
  };
  return [
    {
      name: 'lookup',
      title: 'The BPF program',
      readOnlyData: {
        ...readOnlyData,
        goroutines: goroutines(),
        spikes: encodeRecords('spike_settings', [{ enabled: 1, factor: 8 }]),
        ...aggregateRoom(1, 1).readOnlyData,
        goroutine_places: encodeWord(PLACES),
        wrapper_places: encodeWord(PLACES),
        frame_is_wide: encodeWord(1),
      },
    },
    {
      name: 'verify',
      title: 'The BPF program that verifies',
      readOnlyData,
    },
  ];
}

/** The program that follows spans. */
function following(maps: Implementation): ObjectOptions {
  const layout = { swiss_headers: Number(maps === 'MAPS_SWISS'), stream_is_inner: 1 };
  return {
    name: 'trace',
    title: 'The BPF program that follows spans',
    readOnlyData: {
      goroutines: goroutines(),
      trace_layout: encodeRecords('trace_layout', [layout]),
      ...scratchRoom(1).readOnlyData,
    },
  };
}

function goroutines(): Uint8Array {
  const format = recordConstant('LABELS_SLICE');
  return encodeRecords('goroutine_layout', [
    {
      parent_goid: 1,
      labels_format: format,
      with_exemplars: 1,
      label_names: recordConstant('MAX_LABEL_NAMES'),
      with_spans: 1,
      with_thread_context: 1,
      with_costs: 1,
      with_span_costs: 1,
    },
  ]);
}
