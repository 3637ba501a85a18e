#!/usr/bin/env node
/*
 * Starts the command as it was bundled (src/setup/bundle.mjs), with what keeps a sidecar small: compiled code is kept for the next
 * start, and V8's space for young objects does not grow from 1 to 32 MB.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const built = (name) => new URL(`../../build/${name}`, import.meta.url);

const command = built('cli/main.mjs');
if (existsSync(command)) {
  setFlagsFromString('--semi-space-growth-factor=1');
  enableCompileCache(fileURLToPath(built('compile-cache')));
  await import(command.href);
} else {
  process.stderr.write('mapscope: The command has not been built: run npm run setup.\n');
  process.exitCode = 3;
}
