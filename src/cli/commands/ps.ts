import { jsonOf, type SafeText, textOf } from '../../base/terminal.ts';
import type { Settings } from '../../config/settings.ts';
import { plainTable } from '../../report/table/plain-table.ts';
import { type ProcessFacts, processFacts } from '../../target/finding/process-facts.ts';
import { processes } from '../../target/finding/process-finder.ts';
import { type Decision, decide, decisionInWords, type Selection } from '../../target/finding/selection.ts';
import { writeText } from '../write-text.ts';

/** One process, and what is done with it. */
export interface ListedProcess {
  readonly pid: number;
  readonly exe: string;
  /** As the Go program says it; null when it does not, or is none. */
  readonly goVersion: string | null;
  readonly module: string | null;
  /** TCP ports that it listens on. */
  readonly ports: readonly number[];
  readonly containerId: string | null;
  readonly decision: ShownDecision;
}

/** A decision as JSON shows it. */
export interface ShownDecision {
  readonly observe: boolean;
  /** Counted from 1; null when no rule matches. */
  readonly rule: number | null;
  readonly exclusion: string | null;
  readonly reason: string;
}

/** `mapscope ps`: the Go programs that run, and others that a rule matches, with what is done with each. Nothing is attached. */
export async function ps(selection: Selection, { format }: Settings): Promise<void> {
  const listed: ListedProcess[] = [];
  let hidden = 0;
  for (const facts of processes().map(processFacts)) {
    if (facts.exe === undefined) {
      // Kernel threads and zombies have no arguments; of who has, we may not see the executable.
      hidden += Number(facts.command !== '');
      continue;
    }
    const decision = decide(facts, selection);
    if (facts.isGo || decision.rule !== undefined) {
      listed.push(listedProcess(facts, facts.exe, decision, selection));
    }
  }
  const document = { schema: 'mapscope/ps/v1', processes: listed, hidden };
  await writeText(format === 'table' ? text(listed, hidden) : jsonOf(document), undefined);
}

function listedProcess(
  facts: ProcessFacts,
  exe: string,
  decision: Decision,
  selection: Selection,
): ListedProcess {
  return {
    pid: facts.pid,
    exe,
    goVersion: facts.build?.version ?? null,
    module: facts.build?.modulePath ?? null,
    ports: facts.ports,
    containerId: facts.container ?? null,
    decision: shownDecision(decision, selection),
  };
}

export function shownDecision(decision: Decision, selection: Selection): ShownDecision {
  const { observe, rule, exclusion } = decision;
  return {
    observe,
    rule: rule === undefined ? null : rule + 1,
    exclusion: exclusion ?? null,
    reason: decisionInWords(decision, selection),
  };
}

function text(listed: readonly ListedProcess[], hidden: number): SafeText {
  const rows = listed.map(({ pid, exe, goVersion, ports, decision }) => [
    String(pid),
    goVersion ?? '-',
    ports.join(' ') || '-',
    decision.observe ? 'observe' : 'leave',
    exe,
    decision.reason,
  ]);
  const table = plainTable(
    [['pid', 'go', 'ports', 'action', 'executable', 'why'], ...rows],
    (column) => column === 0,
  );
  const lines = listed.length === 0 ? ['No Go program runs, and no rule matches a process.'] : table;
  const unseen =
    hidden === 0
      ? []
      : [`${hidden} processes of other users were not looked at, which takes CAP_SYS_PTRACE.`];
  return textOf([...lines, ...unseen]);
}
