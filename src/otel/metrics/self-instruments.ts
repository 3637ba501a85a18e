import { type Meter, type Observable, ValueType } from '@opentelemetry/api';
import { FOLLOWING_METRICS, type MetricContract, SELF_METRICS, SPIKE_METRICS } from '../contract/metrics.ts';
import type { NumberMeasurement } from './measurements.ts';

/**
 * Creates the instruments of mapscope's own telemetry, as any program with OpenTelemetry does. When the SDK collects, they
 * observe what `current` returns. A metric that is missing from it has no points.
 */
export function observeSelf(meter: Meter, current: () => readonly NumberMeasurement[]): void {
  const contracts = [SELF_METRICS, SPIKE_METRICS, FOLLOWING_METRICS].flatMap((metrics) =>
    Object.values(metrics),
  );
  const instruments = new Map(contracts.map((contract) => [contract, instrument(meter, contract)]));
  // One callback for all of them, so that they observe the same moment.
  meter.addBatchObservableCallback(
    (result) => {
      for (const { contract, numbers } of current()) {
        const observed = instruments.get(contract);
        if (observed === undefined) {
          throw new Error(`${contract.name} has no instrument`);
        }
        for (const { value, attributes } of numbers) {
          result.observe(observed, value, attributes);
        }
      }
    },
    [...instruments.values()],
  );
}

function instrument(meter: Meter, { name, kind, unit, description, integer }: MetricContract): Observable {
  const options = { unit, description, valueType: integer ? ValueType.INT : ValueType.DOUBLE };
  return kind === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
}
