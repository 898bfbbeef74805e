// One interface for weights in other people's formats: the list of tensors and their numbers, in the order of the file.
import type { HostTensor } from '../safetensors/dtypes.js';
import type { FileSource } from '../stores/store.js';

/** A tensor of a checkpoint, before its numbers are read. */
export interface CheckpointEntry {
  readonly name: string;
  /** As safetensors calls it: F32, BF16, I64, … */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Weights of any format. Opening one reads its index only. */
export interface Checkpoint {
  /** What it was recognised as: `safetensors`, `PyTorch`, and of how many files. */
  readonly format: string;
  /** Which dictionary of a training's checkpoint these weights are: `ema`. Left out: there was no choice. */
  readonly key?: string;
  readonly entries: readonly CheckpointEntry[];
  /**
   * The tensors one after another in the order of the file, read in few large spans, without those that `isWanted` says no to.
   * Throws a CheckpointError if values do not fit the host, and what the store throws.
   */
  stream(isWanted?: (name: string) => boolean): AsyncGenerator<[name: string, tensor: HostTensor]>;
}

/** Bytes of a file that are read together, and the tensors in them. */
export interface Block {
  readonly offset: number;
  readonly end: number;
  /** `bytes` are those from offset to end. */
  decode(bytes: Uint8Array<ArrayBuffer>): Iterable<[name: string, tensor: HostTensor]>;
}

/** Blocks near each other are asked for together up to this size; a larger one comes alone. */
const maxRequestBytes = 32 * 2 ** 20;
/** What is cheaper to read than to ask for again. */
const maxGapBytes = 2 ** 18;

/** Reads blocks that are sorted by offset. */
export async function* streamBlocks(
  source: FileSource,
  path: string,
  blocks: readonly Block[],
): AsyncGenerator<[name: string, tensor: HostTensor]> {
  for (const group of groupBlocks(blocks)) {
    const offset = group[0]!.offset;
    const bytes = await source.read(path, { offset, length: group.at(-1)!.end - offset });
    for (const block of group) yield* block.decode(bytes.subarray(block.offset - offset, block.end - offset));
  }
}

function groupBlocks(blocks: readonly Block[]): Block[][] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    const group = groups.at(-1);
    const isNear = group && block.offset - group.at(-1)!.end <= maxGapBytes;
    if (group && isNear && block.end - group[0]!.offset <= maxRequestBytes) group.push(block);
    else groups.push([block]);
  }
  return groups;
}
