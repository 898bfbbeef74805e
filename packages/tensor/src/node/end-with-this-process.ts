// A child that hangs in a driver, or that never heard of us, would outlive a parent that was killed. Node has no way to
// tie the two together (Linux alone could: PR_SET_PDEATHSIG), so a small shell waits for the parent's end.
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Ends `child` when this process ends before it, however that happens (`kill -9` included): with SIGTERM, and ten
 * seconds later with SIGKILL, and so the processes that it has started. On Windows the system does this itself.
 * @returns to be called when the child has ended
 * @example
 * const child = spawn('node', ['worker.js'], { detached: true });
 * const release = endWithThisProcess(child);
 * child.once('close', release);
 */
export function endWithThisProcess(child: ChildProcess): () => void {
  if (process.platform === 'win32' || child.pid === undefined) return () => undefined;
  const shell = waiting ?? startShell();
  waiting = undefined;
  shell.stdin.write(`${child.pid}\n`);
  return () => shell.stdin.end('ended\n');
}

/**
 * Called before a child is spawned, it makes the moment short between the child's start and {@link endWithThisProcess}, in
 * which this process could be killed and the child stay: the shell that waits is there already.
 */
export function expectChild(): void {
  if (process.platform !== 'win32') waiting ??= startShell();
}

let waiting: ChildProcessByStdio<Writable, null, null> | undefined;

function startShell(): ChildProcessByStdio<Writable, null, null> {
  // A session of its own: neither the terminal nor whatever ends our process group ends the shell first.
  const shell = spawn('sh', ['-c', WAIT, 'paris-guard'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  shell.on('error', () => undefined); // no shell: then only what the parent can do itself
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?(): void }).unref?.();
  return shell;
}

/**
 * The first line is the child's id. A second line means that the child has ended; an end without it, that the parent has.
 * Then the child and all below it are collected, as far as there is a `ps`, before the first signal cuts the ties between
 * them.
 */
const WAIT = `
read -r root || exit 0
if read -r line; then exit 0; fi
all=$(ps -A -o pid= -o ppid= 2>/dev/null | awk -v root="$root" '
  { parent[$1] = $2 }
  END { for (pid in parent) { at = pid; while (at > 1 && at != root) at = parent[at]; if (at == root) print pid } }')
all=\${all:-$root}
kill -TERM $all 2>/dev/null
for second in 1 2 3 4 5 6 7 8 9 10; do
  sleep 1
  left=
  for pid in $all; do if kill -0 "$pid" 2>/dev/null; then left="$left $pid"; fi; done
  [ -n "$left" ] || exit 0
  all=$left
done
kill -KILL $all 2>/dev/null
exit 0`;
