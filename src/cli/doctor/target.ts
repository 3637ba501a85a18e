import { messageOf } from '../../base/errors.ts';
import { compareWithDwarf, type GoBinary } from '../../gobinary/index.ts';
import { planProbes } from '../../plan/lookups/plan.ts';
import { planTraceSites } from '../../plan/traces/plan.ts';
import { namedProcess, openImages } from '../../session/process-images.ts';
import { type OpenedTarget, openTarget } from '../../session/target.ts';
import { MappedBinary } from '../../target/mapped.ts';
import { findThreadContextMap } from '../../target/thread-context.ts';
import type { Finding } from './finding.ts';

/** What a process allows, by its id or that of one of its threads. */
export async function targetFindings(id: number): Promise<Finding[]> {
  try {
    const pid = namedProcess(id);
    const images = await openImages(pid, (executable) => ({ executable, binary: openTarget(executable) }));
    return images.flatMap((image) => imageOf(pid, image));
  } catch (error) {
    return [{ subject: 'target', state: 'missing', detail: messageOf(error) }];
  }
}

function imageOf(pid: number, { executable, binary }: OpenedTarget): Finding[] {
  try {
    const { name } = executable;
    const findings: Finding[] = [
      {
        subject: 'target',
        state: 'ok',
        detail: `${name}: ${binary.version.text}, ${binary.mapImplementation} maps`,
      },
      layouts(binary),
    ];
    const plan = planProbes(binary);
    for (const fn of plan.functions) {
      if (fn.outcome === 'refused') {
        findings.push({
          subject: 'lookup function',
          state: 'limited',
          detail: `${fn.name} is not observed: ${fn.reason}`,
        });
      }
    }
    MappedBinary.of(pid, executable, binary).checkCode(plan.sites);
    const probed = plan.functions.filter((fn) => fn.outcome === 'probed').length;
    const detail = `${plan.sites.length} in ${probed} lookup functions; the mapped code matches the file`;
    findings.push({ subject: 'probe sites', state: plan.sites.length > 0 ? 'ok' : 'missing', detail });
    return [...findings, ...traceSources(binary)];
  } catch (error) {
    return [{ subject: 'target', state: 'missing', detail: messageOf(error) }];
  }
}

/** Where the traces of lookups would be known from. Labels are always looked at; what is absent is no finding. */
function traceSources(binary: GoBinary): Finding[] {
  const subject = 'traces';
  const plans = planTraceSites(binary);
  const followed = plans.flatMap(({ source, outcome }) => (outcome === 'followed' ? [source] : []));
  const thread = findThreadContextMap(process.env);
  const sources = [
    'labels',
    ...followed.filter((source) => source !== 'goroutines'),
    ...(thread ? ['obi'] : []),
  ];
  return [
    { subject, state: 'ok', detail: `from ${sources.join(', ')}` },
    ...plans.flatMap((plan): Finding[] =>
      plan.outcome === 'refused'
        ? [{ subject, state: 'limited', detail: `${plan.source} is not followed: ${plan.reason}` }]
        : [],
    ),
  ];
}

/** Whether anything confirms the layouts that the target's maps are read with. openTarget has refused what contradicts them. */
function layouts(binary: GoBinary): Finding {
  const subject = 'layouts';
  const check = compareWithDwarf(binary);
  switch (check.state) {
    case 'checked':
      return { subject, state: 'ok', detail: `match the debug information (${check.structures.join(', ')})` };
    case 'none':
      return {
        subject,
        state: 'ok',
        detail: `for Go 1.${binary.version.minor}; no debug information to check them against`,
      };
    case 'not checked':
      return {
        subject,
        state: 'limited',
        detail: `not checked against the debug information: ${check.reason}`,
      };
  }
}
