// Files of JSON lines that grow with a run, each line with the step that it belongs to: what was measured and drawn on the way.
import type { FileSource, FileStore } from '@paris/files';
import type * as z from 'zod/mini';
import type { Json } from './record.js';

/** A line of such a file. */
export type StepLine = { readonly step: number; readonly [name: string]: Json };

export async function appendLines<T extends { readonly step: number }>(
  store: FileStore,
  file: string,
  lines: readonly T[],
): Promise<void> {
  if (lines.length > 0) await store.append(file, textOf(lines));
}

/** Replaces the whole file. */
export async function writeLines<T extends { readonly step: number }>(
  store: FileStore,
  file: string,
  lines: readonly T[],
): Promise<void> {
  await store.write(file, new TextEncoder().encode(textOf(lines)));
}

function textOf(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** All complete lines, in order; none where there is no file. Lines that are damaged, or cut short by a kill, are left out. */
export async function readLines(store: FileSource, file: string): Promise<StepLine[]> {
  if (!(await store.exists(file))) return [];
  const lines = new TextDecoder()
    .decode(await store.read(file))
    .split('\n')
    .slice(0, -1);
  return lines.flatMap((text) => {
    try {
      const line: unknown = JSON.parse(text);
      return isStepLine(line) ? [line] : [];
    } catch {
      return [];
    }
  });
}

/** As {@link readLines}, and those that are of another form are left out, too. */
export async function linesOf<T>(store: FileSource, file: string, schema: z.ZodMiniType<T>): Promise<T[]> {
  return (await readLines(store, file)).flatMap((line) => {
    const { success, data } = schema.safeParse(line);
    return success ? [data] : [];
  });
}

/** Cuts off the lines of later steps: a run that resumes after `step` writes them again. */
export async function cutLines(store: FileStore, file: string, step: number): Promise<void> {
  if (!(await store.exists(file))) return;
  const kept = (await readLines(store, file)).filter((line) => line.step <= step);
  if (textOf(kept) !== new TextDecoder().decode(await store.read(file))) await writeLines(store, file, kept);
}

function isStepLine(line: unknown): line is StepLine {
  return typeof line === 'object' && line !== null && Number.isInteger((line as { step?: unknown }).step);
}
