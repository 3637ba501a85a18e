// A lock between processes that prepare the same checkout: a directory, because making one is atomic everywhere.

import { mkdirSync, readFileSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';

const POLL_MS = 100;
const HEARTBEAT_MS = 2000;
/** A holder that has not touched its lock for so long is gone, wherever it ran. */
const STALE_MS = 30_000;

const ageOf = (path) => Date.now() - statSync(path).mtimeMs;

function tryMakeDirectory(path) {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

function processIsGone(pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

const ownerFile = (lock) => join(lock, 'owner');

function isStale(lock) {
  try {
    if (ageOf(lock) > STALE_MS) {
      return true;
    }
    const [host, pid] = readFileSync(ownerFile(lock), 'utf8').trim().split(' ');
    return host === hostname() && processIsGone(Number(pid));
  } catch {
    return false; // Being made or released at this moment.
  }
}

/** Removes a stale lock. Only one process at a time may judge and remove, or it could remove its successor's. */
function removeStale(lock) {
  const guard = `${lock}.removal`;
  if (!tryMakeDirectory(guard)) {
    try {
      if (ageOf(guard) > STALE_MS) {
        rmdirSync(guard);
      }
    } catch {
      // Somebody else removed it.
    }
    return;
  }
  try {
    if (isStale(lock)) {
      rmSync(lock, { recursive: true, force: true });
    }
  } finally {
    rmdirSync(guard);
  }
}

/**
 * Runs `action` while holding the lock.
 *
 * @param {string} lock path of the lock directory
 * @param {() => Promise<void>} action
 * @param {() => void} onWait called once when another process holds the lock
 */
export async function withLock(lock, action, onWait) {
  mkdirSync(dirname(lock), { recursive: true });
  for (let waited = false; !tryMakeDirectory(lock); waited = true) {
    if (isStale(lock)) {
      removeStale(lock);
    } else if (!waited) {
      onWait();
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  writeFileSync(ownerFile(lock), `${hostname()} ${process.pid}\n`);

  const release = () => rmSync(lock, { recursive: true, force: true });
  const stop = (_signal, number) => process.exit(128 + number); // 'exit' releases.
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimesSync(lock, now, now);
  }, HEARTBEAT_MS);
  process.on('exit', release).on('SIGINT', stop).on('SIGTERM', stop);
  try {
    await action();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release).off('SIGINT', stop).off('SIGTERM', stop);
    release();
  }
}
