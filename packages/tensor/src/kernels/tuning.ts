// Which kernels were measured to be the fastest on one adapter, by what is asked of them. Plain data: a table is a JSON
// file, and a run keeps a copy of the one it was trained with.
import { ValueError } from '../errors.js';
import type { KernelAdapter } from '../graph/kernel.js';
import type { AttentionChoice } from './attention/kernels.js';
import type { AttentionKernel } from './attention/spec.js';
import type { MatmulChoice, MatmulShape } from './matmul/choose.js';

/** Which kernel was fastest for which class of shapes on one adapter; what `paris tune` writes. */
export interface TuningTable {
  readonly format: 'paris-tuning';
  readonly version: 1;
  /** {@link DeviceInfo.fingerprint} of the adapter on which it was measured. */
  readonly fingerprint: string;
  /** By `matmulClass`. */
  readonly matmul: Readonly<Record<string, MatmulChoice>>;
  /** By `attentionClass`. */
  readonly attention: Readonly<Record<string, AttentionChoice>>;
}

/** What was measured on an adapter. */
export function tuningOf({ tuning }: KernelAdapter): TuningTable | undefined {
  return tuning as TuningTable | undefined;
}

/** Products of about the same size are one class: each size is rounded to a power of two, from 4 to 8192. */
export function matmulClass({ m, n, k, batch }: MatmulShape): string {
  const round = (size: number) => 2 ** Math.min(13, Math.max(2, Math.round(Math.log2(size))));
  return `${batch > 1 ? 'batched ' : ''}${round(m)}x${round(n)}x${round(k)}`;
}

/** Heads of one width are one class, for each of the three kernels. */
export function attentionClass(kernel: AttentionKernel, headDim: number): string {
  return `${kernel} ${headDim}`;
}

/** Numbers of a choice lie in these bounds: kernels are unrolled by them, and a text of gigabytes is no kernel. */
const bounds: Readonly<Record<string, readonly [least: number, most: number]>> = {
  rows: [1, 64],
  columns: [1, 64],
  lanes: [1, 256],
  blockRows: [1, 1024],
  blockColumns: [1, 1024],
  depth: [1, 1024],
  others: [1, 64],
  residentDims: [0, 1024],
  outputDims: [0, 1024],
  stagedRows: [0, 1024],
};
/** Sums that one invocation holds: rows times columns, or rows times others. */
const maxTile = 1024;
const maxEntries = 10_000;

const matmulFields: Record<MatmulChoice['kernel'], readonly string[]> = {
  plain: [],
  registerTile: ['rows', 'columns'],
  subgroupTile: ['rows', 'columns', 'lanes'],
  packedTile: ['rows', 'columns', 'lanes', 'blockRows', 'depth'],
  workgroupTile: ['blockRows', 'blockColumns', 'depth', 'rows', 'columns'],
  vectorTile: ['blockRows', 'blockColumns', 'depth', 'rows', 'columns'],
};
const attentionFields: Record<AttentionChoice['kernel'], readonly string[]> = {
  laneRows: ['lanes', 'rows', 'others'],
  laneRow: ['lanes', 'others', 'residentDims', 'outputDims', 'stagedRows'],
  subgroupTile: ['lanes', 'rows', 'others'],
};

/**
 * A table out of a file's JSON.
 * @throws ValueError that says what is wrong with it
 */
export function parseTuningTable(json: unknown): TuningTable {
  const table = json as TuningTable;
  if (!isRecord(json) || table.format !== 'paris-tuning' || table.version !== 1) {
    throw refusal("its format is not 'paris-tuning', version 1");
  }
  if (typeof table.fingerprint !== 'string') throw refusal('it names no adapter');
  for (const [part, fields] of [
    ['matmul', matmulFields],
    ['attention', attentionFields],
  ] as const) {
    if (!isRecord(table[part])) throw refusal(`it has no part '${part}'`);
    const entries = Object.entries(table[part]);
    if (entries.length > maxEntries) throw refusal(`${part} has ${entries.length} classes, more than ${maxEntries}`);
    for (const [name, choice] of entries) checkChoice(`${part} ${name.slice(0, 100)}`, choice, fields);
  }
  return table;
}

function checkChoice(name: string, choice: unknown, fields: Readonly<Record<string, readonly string[]>>): void {
  const kernel = isRecord(choice) && typeof choice.kernel === 'string' ? choice.kernel : '';
  const wanted = Object.hasOwn(fields, kernel) ? fields[kernel] : undefined;
  if (!wanted) throw refusal(`${name} names none of the kernels ${Object.keys(fields).join(', ')}`);
  for (const field of wanted) {
    const value = (choice as Record<string, unknown>)[field];
    const [least, most] = bounds[field]!;
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
      throw refusal(`${name} has no whole number '${field}' from ${least} to ${most}`);
    }
  }
  const { rows = 1, columns = 1, others = 1 } = choice as Record<string, number>;
  if (kernel === 'vectorTile' && (rows % 4 !== 0 || columns % 4 !== 0)) {
    throw refusal(`${name} has rows and columns that are no multiples of 4`);
  }
  if (rows * columns * others > maxTile) throw refusal(`${name} holds more than ${maxTile} sums`);
}

function refusal(what: string): ValueError {
  return new ValueError('tuning', `this is no tuning table: ${what}. Make one with \`paris tune\`.`);
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && !Array.isArray(x);
}
