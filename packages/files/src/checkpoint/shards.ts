// Weights in several files, with an index of which tensor is in which: `model.safetensors.index.json`.
import { parseJson } from '../json.js';
import { duplicateKey } from '../json-text.js';
import { isRecord, quote } from '../safetensors/header.js';
import { shortList } from '../short-list.js';
import { type FileSource, isPath } from '../stores/store.js';
import type { Checkpoint } from './checkpoint.js';
import { fail } from './fail.js';

const maxIndexBytes = 64 * 2 ** 20;

/**
 * Opens the files that an index names. They lie in its folder.
 * @param open - opens one of them
 * @throws CheckpointError if the index is not sound, a file is missing, or one holds other tensors than the index says: all
 *   of them in one error
 */
export async function openShards(
  source: FileSource,
  path: string,
  open: (source: FileSource, path: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const names = await readIndex(source, path);
  const files = [...new Set(names.values())];
  const missing: string[] = [];
  for (const file of files) if (!(await source.exists(folder + file))) missing.push(quote(file));
  if (missing.length > 0) return fail(path, `it names files that are missing: ${shortList(missing)}.`);
  const shards: [string, Checkpoint][] = [];
  for (const file of files) shards.push([file, await open(source, folder + file)]);
  checkShards(path, names, shards);
  return {
    format: `${shards[0]![1].format} in ${shards.length} files`,
    entries: shards.flatMap(([, { entries }]) => entries),
    async *stream(isWanted) {
      for (const [, shard] of shards) yield* shard.stream(isWanted);
    },
  };
}

/** Every tensor is where the index says, and nowhere else. */
function checkShards(path: string, names: ReadonlyMap<string, string>, shards: readonly [string, Checkpoint][]): void {
  const found = new Map<string, string>();
  const problems: string[] = [];
  for (const [file, { entries }] of shards) {
    for (const { name } of entries) {
      const wanted = names.get(name);
      if (wanted !== file)
        problems.push(
          `${quote(name)} is in ${quote(file)}, not ${wanted === undefined ? 'in the index' : `in ${quote(wanted)}`}`,
        );
      found.set(name, file);
    }
  }
  for (const [name, file] of names) if (!found.has(name)) problems.push(`${quote(name)} is not in ${quote(file)}`);
  if (problems.length > 0) fail(path, `it does not describe its files: ${shortList(problems)}. Get them again.`);
}

/** The file of each tensor. */
async function readIndex(source: FileSource, path: string): Promise<Map<string, string>> {
  if ((await source.size(path)) > maxIndexBytes) fail(path, 'it is too large for an index (2²⁶ bytes are read).');
  const text = new TextDecoder().decode(await source.read(path));
  const json = parseJson(text, { tag: 'checkpoint', path: quote(path) });
  const map = isRecord(json) ? json.weight_map : undefined;
  if (!isRecord(map)) return fail(path, 'it has no weight_map. Is it the index of weights in several files?');
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(path, `it names ${quote(twice)} twice.`);
  const names = Object.entries(map).map(([name, file]): [string, string] => {
    // An index that names an index would have no end.
    const isWeights = typeof file === 'string' && isPath(file) && !/\.json$/i.test(file);
    return isWeights
      ? [name, file]
      : fail(
          path,
          `it says that ${quote(name)} is in ${quote(String(file))}, which is no file of weights in its folder.`,
        );
  });
  if (names.length === 0) fail(path, 'it names no tensor.');
  return new Map(names);
}
