// Parameters of one name and shape in many layers lie at equal distances in a packed tensor: one strided view of it.
import type { Shape } from '../graph/shape.js';
import { sizeOf } from '../graph/shape.js';
import { packedSize } from '../ops/pack.js';
import type { Tensor } from '../tensor.js';
import type { ParameterPart } from './optimizer.js';

/** `count` parameters of one shape, `spacing` elements from each to the next. */
export interface Run {
  readonly shape: Shape;
  readonly start: number;
  readonly spacing: number;
  readonly count: number;
}

/** The chosen parameters as runs: by path without its numbers, as long as the distances are equal. */
export function runsOf(parts: readonly ParameterPart[], choose: (part: ParameterPart) => boolean): Run[] {
  const starts = new Map<string, { shape: Shape; at: number[] }>();
  let offset = 0;
  for (const part of parts) {
    const key = `${part.path.replaceAll(/\d+/g, '#')} ${part.shape}`;
    if (choose(part)) starts.set(key, { shape: part.shape, at: [...(starts.get(key)?.at ?? []), offset] });
    offset += packedSize(part.shape);
  }
  return [...starts.values()].flatMap(({ shape, at }) => {
    const runs: Run[] = [];
    for (let i = 0; i < at.length; ) {
      const spacing = i + 1 < at.length ? at[i + 1]! - at[i]! : sizeOf(shape);
      let count = 1;
      while (i + count < at.length && at[i + count]! - at[i + count - 1]! === spacing) count++;
      runs.push({ shape, start: at[i]!, spacing, count });
      i += count;
    }
    return runs;
  });
}

/** The parameters of a run, [count, ...shape]. */
export function takeRun(packed: Tensor, { shape, start, spacing, count }: Run): Tensor {
  const end = start + count * spacing;
  // After the last one there may be less than the spacing.
  const within = packed.slice([[start, Math.min(end, packed.size)]]).pad([[0, Math.max(0, end - packed.size)]]);
  const rows = within.reshape([count, spacing]).slice([null, [0, sizeOf(shape)]]);
  return rows.reshape([count, ...shape]);
}

/** The parameters of a run in a packed tensor of `size` elements, among zeros. */
export function putRun(x: Tensor, { shape, start, spacing, count }: Run, size: number): Tensor {
  const gap = spacing - sizeOf(shape);
  const widths = [[0, 0] as const, [0, gap] as const];
  const spread = x.reshape([count, sizeOf(shape)]).pad(widths);
  const length = Math.min(count * spacing, size - start);
  const line = spread.reshape([count * spacing]).slice([[0, length]]);
  return line.pad([[start, size - start - length]]);
}
