// What a consumer would meet: publint and attw over each package as it would be published, and a publication up to the
// moment at which a registry would be asked.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../../../packages/', import.meta.url));
let failed = false;
for (const name of readdirSync(packages)) {
  for (const check of [
    ['publint', '--strict'],
    ['npm', 'publish', '--dry-run', '--provenance=false', '--fetch-retries=0', '--registry=http://127.0.0.1:9'],
    ['attw', '--pack', '.', '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'],
  ]) {
    const [program = '', ...args] = check;
    try {
      execFileSync(program, args, { cwd: packages + name, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    } catch (error) {
      failed = true;
      const { stdout, stderr } = /** @type {{ stdout: string, stderr: string }} */ (error);
      console.error(`@paris/${name}: ${check.join(' ')}\n${stdout}${stderr}`);
    }
  }
}
process.exitCode = failed ? 1 : 0;
