// Opens a file as a checkpoint. Its format is recognised by its bytes, not by its name.

import { quote } from '../safetensors/header.js';
import { decodeEntry, readHeader } from '../safetensors/read.js';
import type { FileSource } from '../stores/store.js';
import { type Block, type Checkpoint, streamBlocks } from './checkpoint.js';
import { fail } from './fail.js';
import { openShards } from './shards.js';
import { averageName } from './state-dict.js';
import { openTorch } from './torch.js';

/** Which weights of a file are wanted. */
export interface OpenCheckpointOptions {
  /**
   * Which dictionary of a training's checkpoint: `ema`, `model`; in a safetensors file, the names that begin with it and a
   * dot. Default: an EMA where there is one: a dictionary with `ema` as a word of its name, or `ema.…` beside the same names
   * with the only other beginning.
   */
  readonly key?: string | undefined;
}

/**
 * Opens safetensors, PyTorch's zip checkpoints (`.pt`, `.pth`, `.bin`), and either in several files with an
 * `*.index.json`. Reads the index only.
 * @throws CheckpointError if the file is none of these, or not sound; what the store throws
 */
export async function openCheckpoint(
  source: FileSource,
  path: string,
  { key }: OpenCheckpointOptions = {},
): Promise<Checkpoint> {
  const checkpoint = await openWhole(source, path, key);
  if (checkpoint.key !== undefined) return checkpoint;
  return withKey(path, checkpoint, key ?? averageIn(checkpoint));
}

/** A checkpoint with all names; only one of PyTorch has a key. */
async function openWhole(source: FileSource, path: string, key?: string): Promise<Checkpoint> {
  const size = await source.size(path);
  const start = await source.read(path, { offset: 0, length: Math.min(size, 16) });
  const text = new TextDecoder('latin1').decode(start);
  // Eight bytes of a length below 2³², then JSON: no text and no pickle begins so.
  const isSafetensors = text.slice(4, 9) === '\0\0\0\0{';
  if (isSafetensors) return openSafetensors(source, path);
  if (text.startsWith('PK\x03\x04')) return openTorch(source, path, key);
  if (/^\s*\{/.test(text)) return openShards(source, path, openWhole);
  if (text.startsWith('version https:'))
    return fail(path, 'it is a pointer of Git LFS, not the file. Get the file itself: git lfs pull.');
  if (/^\s*</.test(text)) return fail(path, 'it is a web page, not weights. Is the address right?');
  if (start[0] === 0x80)
    return fail(path, 'it is a bare pickle, as PyTorch wrote before 1.6. Load it there and save it again.');
  return openSafetensors(source, path);
}

async function openSafetensors(source: FileSource, path: string): Promise<Checkpoint> {
  const { entries } = await readHeader(source, path);
  const blocks = entries.map((entry): [string, Block] => [
    entry.name,
    {
      offset: entry.offset,
      end: entry.offset + entry.sizeBytes,
      decode: (bytes) => [[entry.name, decodeEntry(quote(path), entry, bytes)]],
    },
  ]);
  return {
    format: 'safetensors',
    entries: entries.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    stream: (isWanted = () => true) =>
      streamBlocks(
        source,
        path,
        blocks.flatMap(([name, block]) => (isWanted(name) ? [block] : [])),
      ),
  };
}

/** The beginning of names that are an average's: what follows it follows the only other beginning, too. */
function averageIn({ entries }: Checkpoint): string | undefined {
  const names = new Map<string, Set<string>>();
  for (const { name } of entries) {
    const [, first, rest] = /^([^.]+)\.(.+)$/s.exec(name) ?? [];
    if (first !== undefined) names.set(first, (names.get(first) ?? new Set()).add(rest!));
  }
  const [model, ...others] = [...names].filter(([first]) => !averageName.test(first));
  if (!model || others.length > 0) return undefined;
  return [...names].find(
    ([first, own]) => averageName.test(first) && [...own].every((name) => model[1].has(name)),
  )?.[0];
}

/** The tensors whose names begin with the key, without it. */
function withKey(path: string, checkpoint: Checkpoint, key: string | undefined): Checkpoint {
  if (key === undefined) return checkpoint;
  const prefix = `${key}.`;
  const entries = checkpoint.entries
    .filter(({ name }) => name.startsWith(prefix))
    .map((entry) => ({ ...entry, name: entry.name.slice(prefix.length) }));
  if (entries.length === 0) return fail(path, `no tensor's name begins with ${quote(prefix)}.`);
  return {
    format: checkpoint.format,
    key,
    entries,
    async *stream(isWanted = () => true) {
      const isOurs = (name: string) => name.startsWith(prefix) && isWanted(name.slice(prefix.length));
      for await (const [name, tensor] of checkpoint.stream(isOurs)) yield [name.slice(prefix.length), tensor];
    },
  };
}
