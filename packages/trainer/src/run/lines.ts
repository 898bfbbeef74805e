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
  return stepLines(await store.read(file));
}

/** The complete lines of the bytes of such a file, or of its end. */
function stepLines(bytes: Uint8Array): StepLine[] {
  const lines = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
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
  return ofForm(await readLines(store, file), schema);
}

/** The last `count` of {@link linesOf}, for which no more is read than the end of the file. */
export async function lastLinesOf<T>(
  store: FileSource,
  file: string,
  schema: z.ZodMiniType<T>,
  count: number,
): Promise<T[]> {
  if (!(await store.exists(file))) return [];
  const size = await store.size(file);
  for (let length = Math.min(size, FIRST_READ); ; length = Math.min(size, 4 * length)) {
    const end = await store.read(file, { offset: size - length, length });
    // What was cut is no line: it may look like one.
    const whole = length === size ? end : end.subarray(end.indexOf(NEWLINE) + 1);
    const found = ofForm(stepLines(whole), schema);
    if (found.length >= count || length === size) return found.slice(-count);
  }
}

const NEWLINE = 10;
/** Bytes that are read first: some hundred lines of metrics. */
const FIRST_READ = 2 ** 14;

function ofForm<T>(lines: readonly StepLine[], schema: z.ZodMiniType<T>): T[] {
  return lines.flatMap((line) => {
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
