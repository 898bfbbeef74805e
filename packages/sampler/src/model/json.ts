import { CheckpointError } from '@paris/tensor';
import type * as z from 'zod/mini';

/**
 * A JSON file that came from outside, parsed and checked.
 * @throws CheckpointError that names the file and the first field that is wrong
 */
export function parseJsonFile<T>(tag: string, path: string, bytes: Uint8Array, schema: z.ZodMiniType<T>): T {
  const parsed = schema.safeParse(parseJson(tag, path, bytes));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = issue.path.length > 0 ? `"${issue.path.join('.')}"` : 'the top level';
  throw new CheckpointError(tag, `${path} is not what this version reads: ${field}: ${issue.message}.`);
}

/** Any JSON. @throws CheckpointError that names the file */
export function parseJson(tag: string, path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new CheckpointError(tag, `${path} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}
