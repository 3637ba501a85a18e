#!/usr/bin/env node
/*
 * Starts the command as it was bundled (tools/setup/bundle.mjs), with what keeps a sidecar small: compiled code is kept for the next
 * start, V8's space for young objects does not grow from 1 to 32 MB, and garbage is marked when memory is needed, not beside the
 * work. That suits a heap of some 16 MB, nobody waits for the pause of 20 ms, and V8 does not collect once more some seconds
 * after each export, whose garbage is given back already (memory.ts).
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const built = (name) => new URL(`../../build/${name}`, import.meta.url);

const command = built('cli/main.mjs');
if (existsSync(command)) {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-incremental-marking');
  enableCompileCache(fileURLToPath(built('compile-cache')));
  await import(command.href);
} else {
  process.stderr.write('mapscope: The command has not been built: run npm run setup.\n');
  process.exitCode = 3;
}
