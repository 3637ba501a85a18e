/* The process that prepareapart.ts starts: prepares what it is told to, sends the result and ends. */
import { openGoBinary } from '../gobinary/index.ts';
import { prepare } from './preparation.ts';
import type { PreparationTask } from './prepareapart.ts';

process.once('message', ({ path, options }: PreparationTask) => {
  process.send?.(prepare(openGoBinary(path, options), options));
});
