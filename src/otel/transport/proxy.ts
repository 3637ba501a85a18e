import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

/** Addresses of this machine, for which no proxy is asked: it would look for the receiver on its own. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  const family = isIP(bare);
  return family === 0
    ? bare === 'localhost' || bare.endsWith('.localhost')
    : LOOPBACK.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** Which of these variables sends requests for a host through a proxy; undefined when none does. Values may hold passwords. */
export function proxyVariable(
  host: string,
  variables: readonly string[],
  exceptions: readonly string[],
): string | undefined {
  if (isLoopback(host) || exceptions.some((name) => isExcepted(host, process.env[name] ?? ''))) {
    return undefined;
  }
  return variables.find((name) => process.env[name]);
}

function isExcepted(host: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().replace(/^\*?\./, ''))
    .some((entry) => entry !== '' && (entry === '*' || host === entry || host.endsWith(`.${entry}`)));
}
