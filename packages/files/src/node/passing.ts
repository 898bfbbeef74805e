/**
 * Whether the system refused something that it may allow later: the disk or a quota is full, memory is short, too many files
 * are open, another program has the file, or a network disk is away.
 */
export function isPassing(error: unknown): boolean {
  return error instanceof Error && codes.has((error as NodeJS.ErrnoException).code ?? '');
}

const codes: ReadonlySet<string> = new Set(
  'ENOSPC EDQUOT ENOMEM EMFILE ENFILE EAGAIN EBUSY ESTALE ETIMEDOUT'.split(' '),
);
