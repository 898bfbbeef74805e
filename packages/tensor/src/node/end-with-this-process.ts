// A child that hangs in a driver, or that never heard of us, would outlive a parent that was killed. Node has no way to
// tie the two together (Linux alone could: PR_SET_PDEATHSIG), so a small shell waits for the parent's end.
import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

/**
 * Ends `child` when this process ends before it, however that happens (`kill -9` included): with SIGTERM, and ten
 * seconds later with SIGKILL. The same happens to the processes that the child has started. On Windows the system does
 * this itself.
 *
 * Between the child's start and this call, the child is on its own. Node's own children notice the end of their IPC
 * channel; start other programs with {@link spawnWithThisProcess}.
 * @returns to be called when the child has ended
 * @example
 * const child = fork('worker.js');
 * const release = endWithThisProcess(child);
 * child.once('close', release);
 */
export function endWithThisProcess(child: ChildProcess): () => void {
  return guarded.get(child)?.release ?? guard(child).release;
}

/**
 * Starts a program that cannot outlive this process, not even when this process is killed right after the call. Like
 * `spawn` of `node:child_process`, whose options it takes; the program has the process id that is returned. It starts
 * behind a shell that waits until the guard of {@link endWithThisProcess} knows the process id, and that ends without
 * starting anything if this process ends first. Where there is no `/bin/sh`, it is `spawn`.
 *
 * A program that does not exist is an `error` event, as with `spawn`. `stdio` may list at most nine streams.
 * @example
 * const child = spawnWithThisProcess('node', ['worker.js'], { stdio: 'inherit' });
 * child.once('close', (code) => console.log(code));
 */
export function spawnWithThisProcess(
  command: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): ChildProcess {
  const child = hasShell() ? spawnBehindGate(command, args, options) : spawn(command, args, options);
  child.once('close', endWithThisProcess(child));
  return child;
}

/** What watches over a child. */
type Guard = {
  release: () => void;
  /** Resolves when the guard knows the child, whatever happens to this process after that. */
  known: Promise<void>;
};

const guarded = new WeakMap<ChildProcess, Guard>();
const hasShell = () => process.platform !== 'win32' && existsSync(SHELL);
const SHELL = '/bin/sh';

function guard(child: ChildProcess): Guard {
  const made: Guard = { release: () => undefined, known: Promise.resolve() };
  guarded.set(child, made);
  if (child.pid === undefined || !hasShell()) return made;
  const shell = startGuard();
  // Written is enough: the bytes stay in the pipe when this process ends.
  made.known = new Promise((resolve) => shell.stdin.write(`${child.pid}\n`, () => resolve()));
  made.release = () => shell.stdin.end('ended\n');
  return made;
}

function spawnBehindGate(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const { stdio = 'pipe', env = process.env } = options;
  const streams = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
  const named = lostInShell(env);
  const line = named.length > 0 ? ['/usr/bin/env', ...named, command, ...args] : [command, ...args];
  const child = spawn(SHELL, ['-c', gateScript(streams.length), 'paris-gate', command, ...line], {
    ...options,
    stdio: [...streams, 'pipe'],
  });
  const gate = child.stdio[streams.length] as Socket | null | undefined;
  gate?.on('error', () => undefined); // the child ended: its exit code says why
  gate?.once('data', () => child.emit('error', new Error('there is no such program, or it may not be run')));
  void guard(child).known.then(() => gate?.end('start\n'));
  return child;
}

/**
 * Waits for a line on file descriptor `gate` and becomes the program. At the end of the stream this process is gone. A
 * program that is not found is reported on the same descriptor, because a shell's exit code 127 may be the program's own.
 */
const gateScript = (gate: number) => `
read -r PARIS_GATE <&${gate} || exit 0
case $1 in
*/*) [ -f "$1" ] && [ -x "$1" ] ;;
*) command -v "$1" >/dev/null ;;
esac || { echo missing >&${gate}; exit 127; }
shift
exec "$@" ${gate}<&-`;

/** Variables that some shells (dash) do not pass on because of their names, as `NAME=value`. */
function lostInShell(env: NodeJS.ProcessEnv): string[] {
  const lost = Object.entries(env).filter(([name, value]) => value !== undefined && !/^[A-Za-z_]\w*$/.test(name));
  return lost.map(([name, value]) => `${name}=${value}`);
}

function startGuard(): ChildProcessByStdio<Writable, null, null> {
  // A session of its own: neither the terminal nor whatever ends our process group ends the shell first.
  const shell = spawn(SHELL, ['-c', GUARD, 'paris-guard'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  shell.on('error', () => undefined); // it did not start: then only what the parent can do itself
  shell.stdin.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?(): void }).unref?.();
  return shell;
}

/**
 * The first line is the child's id. A second line means that the child has ended; an end without it, that the parent has.
 * Then the child and all below it are collected, as far as there is a `ps`, before the first signal cuts the ties between
 * them. Each is stopped when it is found, until no more are: one that runs could start another just after it was looked at.
 */
const GUARD = `
read -r root || exit 0
if read -r line; then exit 0; fi
below() {
  ps -A -o pid= -o ppid= 2>/dev/null | awk -v root="$root" '
    { parent[$1] = $2 }
    END { for (pid in parent) { at = pid; while (at > 1 && at != root) at = parent[at]; if (at == root) print pid } }'
}
all=
new=$root
while [ -n "$new" ]; do
  kill -STOP $new 2>/dev/null
  all="$all $new"
  new=
  for pid in $(below); do case " $all " in *" $pid "*) ;; *) new="$new $pid" ;; esac; done
done
kill -TERM $all 2>/dev/null
kill -CONT $all 2>/dev/null
for second in 1 2 3 4 5 6 7 8 9 10; do
  sleep 1
  left=
  for pid in $all; do if kill -0 "$pid" 2>/dev/null; then left="$left $pid"; fi; done
  [ -n "$left" ] || exit 0
  all=$left
done
kill -KILL $all 2>/dev/null
exit 0`;
