/* The process that prepare-apart.ts starts: prepares what its task says, sends the result and ends. */
import { BinaryError, checkAgainstDwarf, type GoBinary, openGoBinary } from '../../gobinary/index.ts';
import { addon } from '../../kernel/addon.ts';
import { prepare } from './preparation.ts';
import {
  INHERITED_EXECUTABLE,
  type PreparationAnswer,
  type PreparationLimits,
  type PreparationTask,
} from './prepare-apart.ts';

process.once('message', (task: PreparationTask) => {
  limitThisProcess(task.limits);
  process.send?.(answerTo(task));
});

function limitThisProcess({ cpuSeconds }: PreparationLimits): void {
  try {
    addon.limitThisProcess(cpuSeconds);
  } catch {
    // Without the addon nothing will be observed, which is said elsewhere; and the time limit on a clock is kept for this process.
  }
}

function answerTo({ options, limits }: PreparationTask): PreparationAnswer {
  const before = process.cpuUsage();
  const binary = orElse<GoBinary | undefined>(
    () => readAll(options),
    () => undefined,
  );
  if (binary === undefined) {
    return { unreadable: true };
  }
  const { user, system } = process.cpuUsage(before);
  if ((user + system) / 1000 > limits.readingMillis) {
    return { refusal: `reading what it says of itself takes longer than ${limits.readingMillis / 1000} s` };
  }
  return orElse<PreparationAnswer>(
    () => ({ preparation: prepare(binary, options) }),
    (message) => ({ refusal: message.replace(/\.$/, '') }),
  );
}

function orElse<T>(attempt: () => T, refused: (message: string) => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof BinaryError) {
      return refused(error.message);
    }
    throw error;
  }
}

/** All that is read before an observation begins. */
function readAll(options: PreparationTask['options']): GoBinary {
  const binary = openGoBinary(`/proc/self/fd/${INHERITED_EXECUTABLE}`, options);
  checkAgainstDwarf(binary);
  return binary;
}
