import type { EqualStep } from '../../src/gobinary/index.ts';

/** Carries out equality steps on the bytes of two values without strings or interfaces. */
export function evaluate(steps: readonly EqualStep[], a: Buffer, b: Buffer): boolean {
  return steps.every(({ kind, offset, size }) => {
    switch (kind) {
      case 'memory':
        return a.subarray(offset, offset + size).equals(b.subarray(offset, offset + size));
      case 'float32':
        return a.readFloatLE(offset) === b.readFloatLE(offset);
      case 'float64':
        return a.readDoubleLE(offset) === b.readDoubleLE(offset);
      default:
        throw new TypeError(`${kind} needs memory`);
    }
  });
}
