// What a consumer would meet: publint and attw over each package as it would be published, and a publication up to the
// moment at which a registry would be asked.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './markdown.js';
import { packAll, workspaces } from './tarballs.js';

const packed = mkdtempSync(join(tmpdir(), 'paris-packed-'));
try {
  const registry = ['--provenance=false', '--fetch-retries=0', '--registry=http://127.0.0.1:9'];
  check('npm', ['publish', '--dry-run', ...registry, ...workspaces()]);
  for (const { name, file } of packAll(packed)) {
    check('publint', ['--strict', file], name);
    check('attw', [file, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'], name);
  }
} finally {
  rmSync(packed, { recursive: true, force: true });
}

/** @param {string} program @param {string[]} args @param {string} [name] of the package */
function check(program, args, name = 'all packages') {
  try {
    execFileSync(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    process.exitCode = 1;
    const { stdout, stderr } = /** @type {{ stdout: string, stderr: string }} */ (error);
    console.error(`${name}: ${program} ${args[0]}\n${stdout}${stderr}`);
  }
}
