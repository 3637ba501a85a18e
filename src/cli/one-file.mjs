/*
 * Where the single executable begins (tools/package/one-file.ts), which carries the other files under their paths in a checkout: as
 * the command, or as the process that prepares, which src/programs/preparation/prepare-apart.ts starts.
 */
const prepares = process.argv[2] === 'prepare-child' && process.connected;
await import(prepares ? './build/cli/prepare-child.mjs' : './src/cli/start.mjs');
