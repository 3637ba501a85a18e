import { EXIT, UserError } from '../base/errors.ts';
import type { Selection } from '../target/finding/selection.ts';
import { checkSelection, selectionOf } from './check.ts';
import { CRITERION_NAMES, type SelectionOptions } from './criteria.ts';
import { optionName } from './options.ts';
import { readConfig } from './read.ts';

/**
 * Which processes to observe. Criteria on the command line take the place of the rules in the file; exclusions that either turns
 * off are off.
 *
 * @throws UserError (usage) that names the option, or the file, the line and the key at fault
 */
export function readSelection({ config, withoutExclusion, ...options }: SelectionOptions): Selection {
  const inFile = checked(selectionOf(readConfig(config).values));
  const criteria = Object.fromEntries(
    CRITERION_NAMES.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
  const typed = checked({
    ...(Object.keys(criteria).length > 0 && { targets: [{ include: criteria }] }),
    ...(withoutExclusion !== undefined && {
      withoutExclusions: withoutExclusion.split(',').map((name) => name.trim()),
    }),
  });
  return {
    rules: typed.targets.length > 0 ? typed.targets : inFile.targets,
    withoutExclusions: [...new Set([...inFile.withoutExclusions, ...typed.withoutExclusions])],
  };
}

function checked(values: Readonly<Record<string, unknown>>) {
  const result = checkSelection(values, { nameOf: optionOf });
  if ('objections' in result) {
    throw new UserError(result.objections[0].sentence, EXIT.usage);
  }
  return result.data;
}

function optionOf(path: readonly PropertyKey[]): string {
  return path[0] === 'targets' ? optionName(String(path.at(-1))) : '--without-exclusion';
}
