// Attention in float64 on the host, for the tests of the kernels: straight from the formulas, N × M and all.

export interface HostAttention {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly headDim: number;
  readonly scale: number;
  /** [batch, rows, heads, headDim] */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly cotangent: Float32Array;
  /** [batch, keys]; 0 takes no part. */
  readonly mask?: Float32Array | undefined;
}

/** out, log_sum and delta [batch, heads, queries], and the gradients of q, k, v. */
export function referenceAttention(host: HostAttention) {
  const { batch, heads, queries, keys, headDim, scale, q, k, v, cotangent, mask } = host;
  const out = new Float64Array(q.length);
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length);
  const dv = new Float64Array(k.length);
  const log_sum = new Float64Array(batch * heads * queries);
  const delta = new Float64Array(batch * heads * queries);
  const columns = Array.from({ length: headDim }, (_, c) => c);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const queryAt = (i: number) => ((b * queries + i) * heads + h) * headDim;
      const keyAt = (j: number) => ((b * keys + j) * heads + h) * headDim;
      for (let i = 0; i < queries; i++) {
        const row = (b * heads + h) * queries + i;
        const own = queryAt(i);
        const taken = Array.from({ length: keys }, (_, j) => j).filter((j) => mask?.[b * keys + j] !== 0);
        const scores = taken.map((j) => scale * columns.reduce((sum, c) => sum + q[own + c]! * k[keyAt(j) + c]!, 0));
        const maximum = Math.max(...scores);
        log_sum[row] = maximum + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - maximum), 0));
        if (taken.length === 0) log_sum[row] = 3.4e38;
        const weights = scores.map((score) => Math.exp(score - log_sum[row]!));
        taken.forEach((j, n) => {
          for (const c of columns) out[own + c]! += weights[n]! * v[keyAt(j) + c]!;
        });
        delta[row] = columns.reduce((sum, c) => sum + cotangent[own + c]! * out[own + c]!, 0);
        taken.forEach((j, n) => {
          const dWeight = columns.reduce((sum, c) => sum + cotangent[own + c]! * v[keyAt(j) + c]!, 0);
          const dScore = weights[n]! * (dWeight - delta[row]!) * scale;
          for (const c of columns) {
            dq[own + c]! += dScore * k[keyAt(j) + c]!;
            dk[keyAt(j) + c]! += dScore * q[own + c]!;
            dv[keyAt(j) + c]! += weights[n]! * cotangent[own + c]!;
          }
        });
      }
    }
  }
  return { out, log_sum, delta, dq, dk, dv };
}
