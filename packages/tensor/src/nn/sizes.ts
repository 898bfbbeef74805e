// What the sizes of a transformer over patches must satisfy together.

export interface TransformerSizes {
  /** Height and width of the input. */
  readonly inputSize: number;
  readonly patchSize: number;
  readonly hiddenSize: number;
  readonly heads: number;
  /** Width of the MLP, in units of hiddenSize. */
  readonly mlpRatio: number;
}

/** Sizes that are fine alone but not together, a phrase for each; none where all fit. */
export function misfits({ inputSize, patchSize, hiddenSize, heads, mlpRatio }: TransformerSizes): string[] {
  const problems: string[] = [];
  if (inputSize % patchSize !== 0) problems.push(`inputSize ${inputSize} is not a multiple of patchSize ${patchSize}`);
  if (hiddenSize % heads !== 0) problems.push(`hiddenSize ${hiddenSize} is not a multiple of heads ${heads}`);
  if (hiddenSize % 4 !== 0) problems.push(`hiddenSize ${hiddenSize} is not a multiple of 4, which positions need`);
  if (!Number.isInteger(hiddenSize * mlpRatio)) {
    problems.push(`hiddenSize ${hiddenSize} times mlpRatio ${mlpRatio} is not a whole number`);
  }
  return problems;
}
