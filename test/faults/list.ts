import type { Fault } from './fault.ts';
import { OWN_FAULTS } from './of-mapscope.ts';
import { RECEIVER_FAULTS } from './of-the-receiver.ts';
import { TARGET_FAULTS } from './of-the-target.ts';

/** Each leaves the scene as it found it. */
export const FAULTS: readonly Fault[] = [...RECEIVER_FAULTS, ...TARGET_FAULTS, ...OWN_FAULTS];
