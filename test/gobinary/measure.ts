/**
 * Milliseconds of processor time that `work` takes. Unlike time on the clock it does not depend on what else the
 * machine does, so tests can set limits to it.
 */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
