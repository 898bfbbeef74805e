/**
 * Each expert's mean weight over some decisions, [K]: over the evaluations of a step (a solver may ask several times), over the
 * steps of a picture, or over pictures. Of no decisions: an empty list.
 */
export function meanWeights(records: readonly { readonly weights: ArrayLike<number> }[]): number[] {
  const mean = (_: unknown, k: number) => records.reduce((sum, { weights }) => sum + weights[k]!, 0) / records.length;
  return Array.from(records[0]?.weights ?? [], mean);
}
