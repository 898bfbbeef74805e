// What of a model fits into how much memory: the weights on a device, by format. Activations come on top.
import { type WeightFormat, weightBytes } from '@paris/model';
import type { ParameterShapes } from '@paris/tensor/nn';
import { inBytes } from './in-bytes.js';

/** What a model's weights are. */
export interface ModelShapes {
  readonly experts: readonly ParameterShapes[];
  /** Router, codec and text encoder: they stay on the device, and only experts are packed. */
  readonly others: readonly ParameterShapes[];
  /** In which formats it can be. */
  readonly formats: readonly WeightFormat[];
}

/** The first is all that the CPU device and most pages have. */
const budgetsGiB = [4, 8, 16];

/**
 * Rows of name and text: bytes with one, two and all experts on the device, next to what always is there, and how many experts
 * common budgets hold, where they do not hold all.
 */
export function memoryRows(model: ModelShapes): [string, string][] {
  const { experts, others, formats } = model;
  const count = experts.length;
  const totals = formats.map((format) => ({ format, bytes: bytesByExperts(experts, others, format) }));
  const resident = [...new Set([1, Math.min(2, count), count])].map((n): [string, string] => [
    `${n} of ${count} loaded`,
    totals.map(({ format, bytes }) => `${inBytes(bytes[n]!)} in ${format}`).join(', '),
  ]);
  const tight = budgetsGiB.filter((budget) => totals.some(({ bytes }) => bytes[count]! > budget * 2 ** 30));
  const fits = tight.map((budget): [string, string] => [
    `in ${budget} GiB`,
    totals
      .map(({ format, bytes }) => {
        const most = bytes.findLastIndex((total) => total <= budget * 2 ** 30);
        return `${most < 1 ? 'none' : most === count ? 'all' : `${most} of ${count}`} in ${format}`;
      })
      .join(', '),
  ]);
  return [...resident, ...fits];
}

/** Bytes with so many experts on the device, the largest ones: [0 … K]. */
function bytesByExperts(
  experts: readonly ParameterShapes[],
  others: readonly ParameterShapes[],
  format: WeightFormat,
): number[] {
  const floats = format === 'f32' ? 'f32' : 'f16';
  const totals = [others.reduce((sum, shapes) => sum + weightBytes(shapes, floats), 0)];
  const sizes = experts.map((shapes) => weightBytes(shapes, format)).sort((a, b) => b - a);
  for (const size of sizes) totals.push(totals.at(-1)! + size);
  return totals;
}
