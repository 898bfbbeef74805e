// JSON that comes from outside is parsed and checked here, and refused in one sentence that names the file and the field.
import { CheckpointError } from './errors.js';
import { describeIssue, type SchemaIssue } from './issue.js';
import { isDeeper } from './json-text.js';
import type { FileSource, FileStore } from './stores/store.js';

/** What checks a value, as zod's schemas do. No schema library is imported here: bring your own. */
export interface Schema<T> {
  /** The value, with defaults filled in, or what is wrong with it. */
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { readonly issues: readonly SchemaIssue[] } };
}

/** Where JSON came from; only messages use it. */
export interface JsonOrigin {
  /** What reads it, as the user calls it. */
  readonly tag: string;
  /** The file. */
  readonly path: string;
  /** What to do about a value of another shape: a sentence. Default none. */
  readonly fix?: string;
}

/** JSON files that no reader limits otherwise: 256 MiB, half of the longest text that engines hold. */
const maxJsonBytes = 256 * 2 ** 20;
/** How deep lists and objects of a JSON file may lie in each other. Ours lie at most ten deep. */
const maxJsonDepth = 64;

/**
 * A JSON file, checked. `tag` is what reads it, in messages.
 * @throws CheckpointError if it is missing, is not JSON, or has another shape; StoreError if it is larger than 256 MiB
 */
export async function readJson<T>(store: FileSource, path: string, schema: Schema<T>, tag = 'readJson'): Promise<T> {
  if (!(await store.exists(path))) throw new CheckpointError(tag, `${path} is missing.`);
  const origin = { tag, path };
  return checkJson(parseJson(await store.read(path, undefined, { maxBytes: maxJsonBytes }), origin), schema, origin);
}

/**
 * Any JSON, from bytes (UTF-8) or text.
 * @throws CheckpointError that names the file, also if lists and objects lie in each other more than 64 deep
 */
export function parseJson(content: Uint8Array | string, { tag, path }: JsonOrigin): unknown {
  const text = decoded(content, { tag, path });
  if (isDeeper(text, maxJsonDepth)) {
    throw new CheckpointError(tag, `${path} nests lists and objects more than ${maxJsonDepth} deep.`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Without the cause: it quotes the file as it is, and Node prints the causes of an uncaught error.
    throw new CheckpointError(tag, `${path} is not JSON: ${(cause as Error).message}.`);
  }
}

function decoded(content: Uint8Array | string, { tag, path }: JsonOrigin): string {
  if (typeof content === 'string') return content;
  try {
    return new TextDecoder().decode(content);
  } catch (cause) {
    throw new CheckpointError(tag, `${path} has ${content.length} bytes, too many for a text.`, { cause });
  }
}

/** Checks a value that was JSON. @throws CheckpointError that names the file and the first field that is wrong */
export function checkJson<T>(value: unknown, schema: Schema<T>, { tag, path, fix = '' }: JsonOrigin): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problem = describeIssue(result.error.issues[0]!, value);
  throw new CheckpointError(tag, `${path} is not what this version reads: ${problem}. ${fix}`.trimEnd());
}

/** Writes a JSON file as {@link encodeJson} encodes it. @throws what the store throws */
export async function writeJson(store: FileStore, path: string, value: unknown): Promise<void> {
  await store.write(path, encodeJson(value));
}

/** The bytes of a JSON file: two spaces, a newline at the end, keys in the order they were given. */
export function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}
