// The Fréchet distance of two sets of pictures (as FID has it, with features of any encoder).
import { checkPair, type RowPair } from './rows.js';
import { symmetricEigen, symmetricEigenvalues, transposed } from './symmetric-eigen.js';

/**
 * |μ − ν|² + tr(A + B − 2 (AB)^½) of means and covariances (Heusel et al. 2017, arXiv 1706.08500, eq. 6): as if both sets were
 * normally distributed. It is biased upwards, the more the fewer pictures there are: compare only equal numbers.
 * @param pair - features [N, D] and [M, D], at least 2 rows each
 * @throws ClusteringError for features that are not rows of finite numbers, or fewer rows
 */
export function frechetDistance(pair: RowPair): number {
  checkPair('frechetDistance', pair, 2);
  const { a, b, dimensions: n } = pair;
  const [first, second] = [moments(a, n), moments(b, n)];
  // tr (AB)^½ = tr (A^½ B A^½)^½, which is symmetric.
  const root = symmetricRoot(first.covariance, n);
  const middle = multiply(multiply(root, second.covariance, n), root, n);
  const mixed = symmetricEigenvalues(middle, n).reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const means = first.mean.reduce((sum, value, d) => sum + (value - second.mean[d]!) ** 2, 0);
  return means + trace(first.covariance, n) + trace(second.covariance, n) - 2 * mixed;
}

/** Mean [D] and unbiased covariance [D, D] of rows. */
function moments(rows: Float32Array, n: number): { mean: Float64Array; covariance: Float64Array } {
  const count = rows.length / n;
  const mean = new Float64Array(n);
  for (const [i, value] of rows.entries()) mean[i % n]! += value / count;
  const covariance = new Float64Array(n * n);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < n; i++) {
      const x = rows[row * n + i]! - mean[i]!;
      for (let j = 0; j <= i; j++) covariance[i * n + j]! += (x * (rows[row * n + j]! - mean[j]!)) / (count - 1);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) covariance[j * n + i] = covariance[i * n + j]!;
  return { mean, covariance };
}

/** R with R · R = `matrix`, which is symmetric and has no negative eigenvalue but by rounding. */
function symmetricRoot(matrix: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  const scaled = vectors.map((x, at) => x * Math.sqrt(Math.max(0, values[Math.floor(at / n)]!)));
  return multiply(transposed(vectors, n), scaled, n);
}

function multiply(x: Float64Array, y: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const value = x[i * n + k]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += value * y[k * n + j]!;
    }
  }
  return out;
}

const trace = (matrix: Float64Array, n: number): number =>
  Array.from({ length: n }, (_, i) => matrix[i * n + i]!).reduce((sum, value) => sum + value, 0);
