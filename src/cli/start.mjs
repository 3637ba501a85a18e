#!/usr/bin/env node
/*
 * Starts the command as it was bundled (tools/setup/bundle.mjs), with what keeps a sidecar small: compiled code is kept for the next
 * start, V8's space for young objects does not grow from 1 to 32 MB, and garbage is marked when memory is needed, not beside the
 * work. That suits a heap of some 16 MB, nobody waits for the pause of 20 ms, and V8 does not collect once more some seconds
 * after each export, whose garbage is given back already (memory.ts).
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** As in package.json. An older one is to read this file at least, to say so: it may not know what it does not export. */
const OLDEST_NODE = 24;

/**
 * Each window is open on a thread of libuv's pool, for a tenth of a second at most, and all readings of the kernel's maps need one: with
 * the usual four, those of fifty targets would wait for windows until their time is over.
 */
const POOL_THREADS = '16';

/** libuv reads the variable when the first work is given to it; programs that mapscope starts are not to see it. */
async function startPool() {
  if (process.env.UV_THREADPOOL_SIZE === undefined) {
    process.env.UV_THREADPOOL_SIZE = POOL_THREADS;
    await stat(built('cli'));
    delete process.env.UV_THREADPOOL_SIZE;
  }
}

const built = (name) => new URL(`../../build/${name}`, import.meta.url);

const say = (sentence) => {
  process.stderr.write(`mapscope: ${sentence}\n`);
  process.exitCode = 3;
};

const command = built('cli/main.mjs');
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  say(`Node.js ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}.`);
} else if (existsSync(command)) {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-incremental-marking');
  // A single executable has no folder for it. Where there is one that cannot be written, nothing is kept, and nothing said.
  if (!process.getBuiltinModule('node:sea').isSea()) {
    nodeModule.enableCompileCache(fileURLToPath(built('compile-cache')));
  }
  await startPool();
  await import(command.href);
} else {
  say('The command has not been built: run npm run setup.');
}
