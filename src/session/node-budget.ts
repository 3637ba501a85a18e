import { cpus } from 'node:os';
import type { Settings } from '../config/settings.ts';
import { NodeBudget } from '../observe/windows/node-budget.ts';

/** By the setting. */
const BUDGETS = new Map<number, NodeBudget>();

/** What all targets of this process share: the same for all that are observed with the same setting. */
export function nodeBudget({ nodeBudget: share }: Settings): NodeBudget | undefined {
  if (share === undefined) {
    return undefined;
  }
  const known = BUDGETS.get(share) ?? new NodeBudget(share * cpus().length);
  BUDGETS.set(share, known);
  return known;
}

/** Has those that are observed already share what the new settings say, as those do that come. */
export function changeNodeBudget({ nodeBudget: before }: Settings, { nodeBudget: share }: Settings): void {
  const known = before === undefined ? undefined : BUDGETS.get(before);
  if (before === undefined || share === undefined || known === undefined) {
    return;
  }
  known.setCapacity(share * cpus().length);
  BUDGETS.delete(before);
  BUDGETS.set(share, known);
}
