import { spawnSync } from 'node:child_process';

/** Whether this machine lets these tests have a real-time priority: some cgroups forbid that to anyone. */
export const REAL_TIME = spawnSync('chrt', ['--fifo', '1', 'true']).status === 0;
