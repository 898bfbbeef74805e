// Every JSON file that comes from outside passes through here: parsed, checked against a schema, and refused in one
// sentence that names the file and the field.
import { CheckpointError } from '@paris/tensor';
import { describeIssue, type FileSource, type FileStore } from '@paris/tensor/store';
import type * as z from 'zod/mini';

/** Reads a JSON file and checks it. @throws CheckpointError if it is missing, no JSON, or has another shape. */
export async function readJson<T>(store: FileSource, path: string, schema: z.ZodMiniType<T>): Promise<T> {
  if (!(await store.exists(path))) throw new CheckpointError('readJson', `${path} is missing.`);
  return parseJson(decoder.decode(await store.read(path)), path, schema);
}

/** Checks the text of a JSON file. `path` is only for the message. */
export function parseJson<T>(text: string, path: string, schema: z.ZodMiniType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError('readJson', `${path} is not JSON (${(cause as Error).message}).`, { cause });
  }
  return checkJson(value, path, schema);
}

/** Checks a value that was JSON. `what` is only for the message. */
export function checkJson<T>(value: unknown, what: string, schema: z.ZodMiniType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problem = describeIssue(result.error.issues[0]!, value);
  throw new CheckpointError('readJson', `${what} is not what this version reads: ${problem}.`);
}

/** Writes a JSON file as people like to read it. */
export async function writeJson(store: FileStore, path: string, value: unknown): Promise<void> {
  await store.write(path, encodeJson(value));
}

/** The bytes of a JSON file: two spaces, a newline at the end, keys in the order they were given. */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify(value, null, 2)}\n`);
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
