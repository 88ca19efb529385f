// After tsc: the command line must be executable, and its first line must name node. Scripts that pages carry are not
// compiled: they go along as they are.
import { chmodSync, cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
if (existsSync(cli)) chmodSync(cli, 0o755);

const browser = fileURLToPath(new URL('../src/report/browser', import.meta.url));
cpSync(browser, fileURLToPath(new URL('../dist/report/browser', import.meta.url)), { recursive: true });
