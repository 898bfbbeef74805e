// The cost of a forward pass, from sizes alone: no graph, no device.

/** What one forward of a network computes and writes. */
export interface ForwardCost {
  /** Multiply-accumulates of matrix products and attention; a FLOP count is twice this. */
  readonly macs: number;
  /** Numbers that matrix products and attention write: what a training step would keep without rematerialisation. */
  readonly activations: number;
}

/** Rows of `inputs` numbers to rows of `outputs`. */
export function linearCost(rows: number, inputs: number, outputs: number): ForwardCost {
  return { macs: rows * inputs * outputs, activations: rows * outputs };
}

/** Scores and their product with the values; the softmax's denominators are kept, the scores are not. */
export function attentionCost(queries: number, keys: number, d: number, heads: number): ForwardCost {
  return { macs: 2 * queries * keys * d, activations: queries * (d + heads) };
}

/** All of them, `times` times. */
export function sumCosts(costs: readonly ForwardCost[], times = 1): ForwardCost {
  const total = (of: keyof ForwardCost) => times * costs.reduce((all, cost) => all + cost[of], 0);
  return { macs: total('macs'), activations: total('activations') };
}
