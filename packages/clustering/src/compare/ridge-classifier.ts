// A linear classifier of features, in closed form: whether drawn pictures show what they should is asked of one that was
// trained on real pictures.
import { ClusteringError } from '../errors.js';
import { checkFeatures } from '../kmeans/check.js';

/** What {@link ridgeClassifier} gives. */
export interface Classifier {
  /** The classes, sorted. */
  readonly classes: readonly string[];
  /** The class of each row of features [M, dimensions], as an index into `classes`. */
  classify(features: Float32Array): Uint32Array;
}

/**
 * Least squares with an intercept towards ±1 for each class, one against the rest, and a penalty on the squared weights; the
 * highest answer is the class (as scikit-learn's RidgeClassifier has it).
 * @param features - [N, dimensions]
 * @param labels - the class of each row, [N]; two different ones or more
 * @param penalty - λ of (XᵀX + λ) W = XᵀY, of centred X. Default 1
 * @throws ClusteringError for features that are not rows of finite numbers, another number of labels, or one class alone
 */
export function ridgeClassifier(
  features: Float32Array,
  labels: readonly string[],
  dimensions: number,
  penalty = 1,
): Classifier {
  checkFeatures('ridgeClassifier', features, dimensions);
  const n = features.length / dimensions;
  const classes = [...new Set(labels)].sort();
  if (labels.length !== n || classes.length < 2) {
    const got = `${labels.length} labels of ${classes.length} classes for ${n} rows`;
    throw new ClusteringError('ridgeClassifier', `got ${got}. Give one for each row, and two classes or more.`);
  }
  const [d, c] = [dimensions, classes.length];
  const mean = new Float64Array(d);
  for (const [at, value] of features.entries()) mean[at % d]! += value / n;
  const shares = classes.map((name) => labels.filter((label) => label === name).length / n);
  const gram = new Float64Array(d * d);
  const products = new Float64Array(d * c); // XᵀY
  const row = new Float64Array(d);
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < d; i++) row[i] = features[r * d + i]! - mean[i]!;
    for (let i = 0; i < d; i++) {
      const x = row[i]!;
      for (let j = 0; j <= i; j++) gram[i * d + j]! += x * row[j]!;
      products[i * c + classes.indexOf(labels[r]!)]! += 2 * x; // Y is −1 elsewhere, and Σ x = 0
    }
  }
  for (let i = 0; i < d; i++) gram[i * d + i]! += penalty;
  const weights = solve(gram, products, d, c);
  const offsets = shares.map((share, k) => {
    return mean.reduce((sum, value, i) => sum - value * weights[i * c + k]!, 2 * share - 1);
  });
  return {
    classes,
    classify(rows) {
      checkFeatures('ridgeClassifier', rows, d);
      return Uint32Array.from({ length: rows.length / d }, (_, r) => {
        const scores = offsets.map((offset, k) => {
          let sum = offset;
          for (let i = 0; i < d; i++) sum += rows[r * d + i]! * weights[i * c + k]!;
          return sum;
        });
        return scores.indexOf(Math.max(...scores));
      });
    },
  };
}

/** W of A W = B, A symmetric and positive definite with its lower half given: by Cholesky, in place. */
function solve(a: Float64Array, b: Float64Array, d: number, c: number): Float64Array {
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * d + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * d + k]! * a[j * d + k]!;
      a[i * d + j] = i === j ? Math.sqrt(sum) : sum / a[j * d + j]!;
    }
  }
  for (let column = 0; column < c; column++) {
    for (let i = 0; i < d; i++) {
      let sum = b[i * c + column]!;
      for (let k = 0; k < i; k++) sum -= a[i * d + k]! * b[k * c + column]!;
      b[i * c + column] = sum / a[i * d + i]!;
    }
    for (let i = d - 1; i >= 0; i--) {
      let sum = b[i * c + column]!;
      for (let k = i + 1; k < d; k++) sum -= a[k * d + i]! * b[k * c + column]!;
      b[i * c + column] = sum / a[i * d + i]!;
    }
  }
  return b;
}
