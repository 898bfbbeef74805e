import { CheckpointError } from '@paris/tensor';
import { describeIssue } from '@paris/tensor/store';
import type * as z from 'zod/mini';

/**
 * A JSON file that came from outside, parsed and checked.
 * @throws CheckpointError that names the file and the first field that is wrong
 */
export function parseJsonFile<T>(tag: string, path: string, bytes: Uint8Array, schema: z.ZodMiniType<T>): T {
  const json = parseJson(tag, path, bytes);
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problem = describeIssue(parsed.error.issues[0]!, json);
  throw new CheckpointError(tag, `${path} is not what this version reads: ${problem}.`);
}

/** Any JSON. @throws CheckpointError that names the file */
export function parseJson(tag: string, path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError(tag, `${path} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}
