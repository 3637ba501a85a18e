/** Offsets, in bytes, of what is read of a goroutine and its thread. */
export interface GoroutineLayout {
  /** g.goid */
  readonly goid: number;
  /** g.parentGoid; undefined before Go 1.21. */
  readonly parentGoid: number | undefined;
  /** g.labels */
  readonly labels: number;
  /** How pprof labels are kept: `map[string]string` up to 1.23, a sorted slice from 1.24 (runtime/pprof/label.go). */
  readonly labelsFormat: 'map' | 'slice';
  /** g.m */
  readonly machine: number;
  /** m.curg */
  readonly current: number;
}

/**
 * src/runtime/runtime2.go of each release (struct g, struct m), from the releases' own DWARF. What moved them: 1.21 added
 * parentGoid, 1.23 added syscallbp, 1.25 dropped gobuf.ret, 1.26 added fields before parentGoid.
 */
const LAYOUTS: ReadonlyMap<number, GoroutineLayout> = new Map(
  [
    { minors: [17, 18, 19, 20], goid: 152, parentGoid: undefined, labels: 360, current: 192 },
    { minors: [21, 22], goid: 152, parentGoid: 272, labels: 344, current: 192 },
    { minors: [23, 24], goid: 160, parentGoid: 280, labels: 352, current: 192 },
    { minors: [25], goid: 152, parentGoid: 272, labels: 344, current: 184 },
    { minors: [26, 27], goid: 152, parentGoid: 280, labels: 352, current: 184 },
  ].flatMap(({ minors, ...offsets }) =>
    minors.map((minor): [number, GoroutineLayout] => [
      minor,
      { ...offsets, labelsFormat: minor >= 24 ? 'slice' : 'map', machine: 48 },
    ]),
  ),
);

/** The layout of a Go release by its minor version; undefined for one that is not known. */
export function goroutineLayout(minor: number): GoroutineLayout | undefined {
  return LAYOUTS.get(minor);
}
