// Eigenvalues and eigenvectors of a symmetric matrix, for some hundred dimensions: Householder's reflections make it tridiagonal,
// and QR steps diagonal (Golub and Van Loan, Matrix Computations, §8.3).

/** Eigenvalues [n], unordered, and eigenvectors as the rows of `vectors` [n, n]. */
export interface SymmetricEigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Of a symmetric matrix [n, n], row-major. */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const { diagonal, beside, reflections } = tridiagonal(matrix, n);
  const vectors = transposed(product(reflections, n), n);
  diagonalize(diagonal, beside, vectors, n);
  return { values: diagonal, vectors };
}

/** The eigenvalues alone, unordered: a fraction of the work. */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, beside } = tridiagonal(matrix, n);
  diagonalize(diagonal, beside, undefined, n);
  return diagonal;
}

/** I − `factor` v vᵀ, where v is zero up to the dimension `first`. */
interface Reflection {
  readonly first: number;
  readonly v: Float64Array;
  readonly factor: number;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Next to it: [n], the last is 0. */
  readonly beside: Float64Array;
  /** The matrix is H₀ H₁ … T … H₁ H₀ of the reflections H. */
  readonly reflections: readonly Reflection[];
}

/** Each reflection makes the numbers of one column zero that are not next to the diagonal (algorithm 8.3.1). */
function tridiagonal(matrix: Float64Array, n: number): Tridiagonal {
  const a = matrix.slice();
  const beside = new Float64Array(n);
  const reflections: Reflection[] = [];
  for (let column = 0; column + 1 < n; column++) {
    const first = column + 1;
    const v = Float64Array.from({ length: n }, (_, i) => (i < first ? 0 : a[i * n + column]!));
    const length = Math.hypot(...v);
    const pivot = v[first]!;
    beside[column] = pivot > 0 ? -length : length;
    v[first] = pivot - beside[column]!;
    const square = v.reduce((sum, x) => sum + x * x, 0);
    if (!(square > 0)) continue;
    const reflection = { first, v, factor: 2 / square };
    reflections.push(reflection);
    reflectBothSides(a, n, reflection);
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), beside, reflections };
}

/** H A H in the rows and columns from `first` on, as A − v wᵀ − w vᵀ. */
function reflectBothSides(a: Float64Array, n: number, { first, v, factor }: Reflection): void {
  const w = new Float64Array(n);
  let along = 0;
  for (let i = first; i < n; i++) {
    let sum = 0;
    for (let j = first; j < n; j++) sum += a[i * n + j]! * v[j]!;
    w[i] = factor * sum;
    along += w[i]! * v[i]!;
  }
  for (let i = first; i < n; i++) w[i]! -= (factor / 2) * along * v[i]!;
  for (let i = first; i < n; i++) {
    const [vi, wi] = [v[i]!, w[i]!];
    for (let j = first; j < n; j++) a[i * n + j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** H₀ H₁ … as a matrix: from the last one on, so that each has the fewest rows and columns to change. */
function product(reflections: readonly Reflection[], n: number): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (const { first, v, factor } of reflections.toReversed()) {
    const along = new Float64Array(n);
    for (let i = first; i < n; i++) for (let j = first; j < n; j++) along[j]! += v[i]! * q[i * n + j]!;
    for (let i = first; i < n; i++) {
      const scale = factor * v[i]!;
      for (let j = first; j < n; j++) q[i * n + j]! -= scale * along[j]!;
    }
  }
  return q;
}

/** QR steps until nothing is left next to the diagonal; the rows of `vectors` are rotated with it (algorithm 8.3.3). */
function diagonalize(diagonal: Float64Array, beside: Float64Array, vectors: Float64Array | undefined, n: number): void {
  const isZero = (i: number) =>
    !(Math.abs(beside[i]!) > Number.EPSILON * (Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!)));
  for (let last = n - 1; last > 0; ) {
    if (isZero(last - 1)) {
      last -= 1;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !isZero(first - 1)) first -= 1;
    step(diagonal, beside, vectors, n, first, last);
  }
}

/** One implicit QR step with Wilkinson's shift, from `first` to `last` (algorithm 8.3.2). */
function step(
  diagonal: Float64Array,
  beside: Float64Array,
  vectors: Float64Array | undefined,
  n: number,
  first: number,
  last: number,
): void {
  const half = (diagonal[last - 1]! - diagonal[last]!) / 2;
  const corner = beside[last - 1]!;
  const shift = diagonal[last]! - corner ** 2 / (half + (half < 0 ? -1 : 1) * Math.hypot(half, corner));
  // What a rotation makes zero: at first the shifted column's second number, then what the rotation before has put beyond the diagonals.
  let [x, z] = [diagonal[first]! - shift, beside[first]!];
  for (let k = first; k < last; k++) {
    const length = Math.hypot(x, z);
    const [c, s] = length > 0 ? [x / length, z / length] : [1, 0];
    if (k > first) beside[k - 1] = length;
    const [a, b, d] = [diagonal[k]!, beside[k]!, diagonal[k + 1]!];
    diagonal[k] = c * c * a + 2 * c * s * b + s * s * d;
    diagonal[k + 1] = s * s * a - 2 * c * s * b + c * c * d;
    beside[k] = (c * c - s * s) * b + c * s * (d - a);
    if (k + 1 < last) {
      x = beside[k]!;
      z = s * beside[k + 1]!;
      beside[k + 1]! *= c;
    }
    if (vectors) rotateRows(vectors.subarray(k * n, (k + 2) * n), n, c, s);
  }
}

/** Two rows of n numbers. */
function rotateRows(rows: Float64Array, n: number, c: number, s: number): void {
  for (let j = 0; j < n; j++) {
    const x = rows[j]!;
    const y = rows[n + j]!;
    rows[j] = c * x + s * y;
    rows[n + j] = c * y - s * x;
  }
}

/** Of a matrix [n, n]. */
export function transposed(matrix: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[j * n + i] = matrix[i * n + j]!;
  return out;
}
