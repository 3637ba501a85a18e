/* The numbers behind the governor's decisions; docs/design/0006-governor.md says where they come from. */

/** Times in seconds. */
export const LIMITS = {
  /** Lookups decoded per second, about: more add no knowledge, fewer are worth their cost even on an idle target. */
  ceiling: 8000,
  floor: 100,
  /** CPU seconds per second that this floor may cost: hits are dear where keys are long. */
  floorCost: 0.0005,
  /** Mean distance of the beginnings of windows. */
  shortestDistance: 0.2,
  usualDistance: 0.4,
  idleDistance: 2,
  longestDistance: 10,
  /** Of the windows of all targets, as long as `idleDistance` allows it: what they cost the sidecar is not to grow with their number. */
  distanceOfAll: 0.04,
  shortestOpen: 0.0005,
  longestOpen: 0.1,
  /** What decoding costs one CPU until the window ends early, and a request at most; windows are planned for less. */
  longestLoss: 0.01,
  usualLoss: 0.004,
  /** Lookups that a window is planned for at least. */
  leastLookups: 50,
  /** The mean distance while other probes are there for a short time, and there are savings for that. */
  eagerDistance: 0.1,
  /** How long a decision stands: load may change meanwhile. Other probes may have to be paused at once. */
  longestWait: 0.5,
  longestWaitWithOthers: 0.25,
  /** After the budget could not be kept. */
  firstBackOff: 10,
  longestBackOff: 600,
} as const;

/** The budget cannot be kept when so many windows in a row say so: one alone may just have been an expensive one. */
export const STOPPING_WINDOWS = 3;

/** The part of the budget that is planned for; the rest is for what cannot be foreseen, or not be counted. */
export const PLANNED = 0.9;
/** Part of the budget that other probes may use; what they leave of it is for windows. */
export const OTHERS = 0.5;
/** Seconds of that part that may be saved up: a pause lasts until half of it is there again. */
export const OTHERS_SAVED = 40;
/** CPU seconds that they have to begin with. */
export const OTHERS_CREDIT = 0.04;
/** While others pause, half of the windows' allowance is kept for when they are back, up to so many seconds of it. */
export const RESERVED = 10;
/** And spent within so many seconds, about. */
export const SPENT_WITHIN = 1;
/** How fast what they leave is followed: time constant in seconds. */
export const INCOME_MEMORY = 10;
/** Seconds of allowance that may be saved up. */
export const SAVED = 1;
/** Part of what a window will cost that must be there when it opens; the rest is paid before the next one. */
export const PAID_BEFORE = 0.5;
/** How fast the target's use of CPU is followed: time constant in seconds. */
export const CPU_MEMORY = 0.5;
/** Weight of the latest window in what is known of windows, at least; and how fast older ones lose theirs, in seconds. */
export const WINDOW_WEIGHT = 0.3;
export const WINDOW_MEMORY = 5;
/** From this share of a CPU on windows are as frequent as they get; each costs the sidecar 1 to 2 ms. */
export const BUSY_CPU = 0.05;
/** Less than this share of a CPU is as good as nothing. */
export const LEAST_CPU = 0.002;
/** What a target may cost, in CPU seconds per second, for which others leave nothing: not nothing, which nothing can be divided by. */
export const LEAST_RATE = 1e-9;
