// times.jsonl: what each piece took. It is different each time, so it is no part of the results; what was interrupted counts.
import type { FileSource, FileStore } from '@paris/files';
import * as z from 'zod/mini';

/** One piece, or as much of it as was done before it was stopped. */
export interface PieceTime {
  piece: string;
  /** By the clock. */
  seconds: number;
  /** Of all threads of the process, where that is known. */
  processorSeconds?: number | undefined;
}

const TIMES_FILE = 'times.jsonl';

const schema: z.ZodMiniType<PieceTime> = z.object({
  piece: z.string(),
  seconds: z.number(),
  processorSeconds: z.optional(z.number()),
});

/** Does a piece of work, and notes what it took. @throws what it throws */
export async function noteTime<T>(store: FileStore, piece: string, work: () => Promise<T>): Promise<T> {
  const [began, processor] = [performance.now(), processorSeconds()];
  try {
    return await work();
  } finally {
    const now = processorSeconds();
    const line: PieceTime = {
      piece,
      seconds: rounded((performance.now() - began) / 1000),
      ...(now !== undefined && { processorSeconds: rounded(now - processor!) }),
    };
    await store.append(TIMES_FILE, `${JSON.stringify(line)}\n`);
  }
}

/** All lines; none where nothing was done yet. Lines that a kill cut short are left out. */
export async function readTimes(store: FileSource): Promise<PieceTime[]> {
  if (!(await store.exists(TIMES_FILE))) return [];
  const lines = new TextDecoder().decode(await store.read(TIMES_FILE)).split('\n');
  return lines.flatMap((text) => {
    try {
      const { success, data } = schema.safeParse(JSON.parse(text));
      return success ? [data] : [];
    } catch {
      return [];
    }
  });
}

function processorSeconds(): number | undefined {
  const { process } = globalThis as { process?: { cpuUsage?(): { user: number; system: number } } };
  const used = process?.cpuUsage?.();
  return used && (used.user + used.system) / 1e6;
}

const rounded = (seconds: number): number => Number(seconds.toFixed(2));
