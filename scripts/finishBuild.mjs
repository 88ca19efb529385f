// After tsc: the command line must be executable, and its first line must name node.
import { chmodSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (existsSync(cli)) chmodSync(cli, 0o755);
