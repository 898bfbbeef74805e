// The benchmark with the other libraries, which prints a row as it is done; the rows are in the log, too.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export async function run({ adapter, out, tiny, secondsLeft, note }) {
  const json = join(out, 'peers.json');
  const args = [
    '--adapter',
    adapter,
    '--json',
    json,
    '--repeat',
    tiny ? '1' : '3',
    ...(tiny ? ['--only', 'dispatches'] : []),
  ];
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../src/main.js', import.meta.url)), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, INIT_CWD: '/' },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(1, 1000 * secondsLeft()));
  const [code, signal] = await new Promise((resolve) => child.once('close', (...how) => resolve(how)));
  clearTimeout(timer);
  note({ json, code, signal });
  if (signal) return false;
  if (code !== 0) throw new Error(`the benchmark ended with ${code}: a result of ours was wrong, or it did not start`);
}
