import assert from 'node:assert/strict';
import { type AttributeValue, type ExportRequestMessage, plainAttributes } from './messages.ts';

/** Lookups that a receiver was told of, by the process that made them, with all that tells it from others. */
export class LookupsReceived {
  readonly #series = new Map<
    string,
    { resource: Record<string, AttributeValue>; points: Map<string, number> }
  >();

  take({ resourceMetrics }: ExportRequestMessage): void {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const attributes = plainAttributes(resource?.attributes ?? []);
      const id = String(attributes['service.instance.id']);
      const known = this.#series.get(id) ?? { resource: attributes, points: new Map() };
      this.#series.set(id, known);
      // One process is told of in the same way from its start to its end.
      assert.deepEqual(attributes, known.resource);
      for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        for (const point of metric.name === 'gomap.lookups' ? (metric.sum?.dataPoints ?? []) : []) {
          known.points.set(
            JSON.stringify(plainAttributes(point.attributes)),
            point.asInt ?? point.asDouble ?? 0,
          );
        }
      }
    }
  }

  /** Of one process, by its id: all that it was ever told of. */
  of(pid: number): number {
    return this.processes.reduce((sum, process) => sum + (process.pid === pid ? process.lookups : 0), 0);
  }

  /** Of each process, in the order in which they were first told of. */
  get processes() {
    return [...this.#series.values()].map(({ resource, points }) => ({
      name: resource['service.name'],
      pid: Number(resource['process.pid']),
      lookups: [...points.values()].reduce((sum, value) => sum + value, 0),
    }));
  }
}
