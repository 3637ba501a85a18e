import { cpus } from 'node:os';
import type { Settings } from '../config/settings.ts';
import { NodeBudget } from '../observe/windows/node-budget.ts';

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
