// Which process of this machine wrote something, and whether it still runs.
import { readFile } from 'node:fs/promises';

/** When a process started, in ticks since boot with the boot's id; '' where the system does not say (not Linux). */
export async function startOf(pid: number): Promise<string> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc(5); the name, field 2, is in parentheses and may contain anything.
    const ticks = status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()}:${ticks}`;
  } catch {
    return '';
  }
}

/** Whether a process runs that is the one which `startOf` described, and not a later one with the same id. */
export async function isRunning(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0); // signal 0 only asks
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false; // EPERM: it lives, as another user's
  }
  const now = await startOf(pid);
  return now === '' || start === '' || now === start;
}
