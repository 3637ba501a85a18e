import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GENERATED } from './generated.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

for (const [path, text] of Object.entries(GENERATED)) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text());
}
