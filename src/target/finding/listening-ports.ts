import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The state of a socket that listens, in /proc/PID/net/tcp (TCP_LISTEN, include/net/tcp_states.h). */
const LISTEN = '0A';

/**
 * The TCP ports that a process listens on, ascending: those of its network namespace whose sockets it holds. Empty also where
 * its descriptors may not be looked at.
 */
export function listeningPorts(pid: number): number[] {
  const sockets = new Set(socketsOf(pid));
  if (sockets.size === 0) {
    return [];
  }
  const ports = ['tcp', 'tcp6'].flatMap((table) =>
    listenersIn(textOf(`/proc/${pid}/net/${table}`))
      .filter(({ inode }) => sockets.has(inode))
      .map(({ port }) => port),
  );
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Port and inode of each listening socket in the text of /proc/PID/net/tcp or tcp6. */
export function listenersIn(table: string): { readonly port: number; readonly inode: string }[] {
  return table.split('\n').flatMap((line) => {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
    return state === LISTEN && Number.isInteger(port) ? [{ port, inode }] : [];
  });
}

/** Inodes of the sockets that a process holds. */
function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((descriptor) => socketAt(`${folder}/${descriptor}`));
  } catch {
    return [];
  }
}

function socketAt(link: string): string[] {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.slice(1) ?? [];
  } catch {
    // It has been closed meanwhile.
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
