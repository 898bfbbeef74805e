// What scikit-learn and SciPy found on fixed data; tools/fixtures/clustering.py makes it.
import { readFileSync } from 'node:fs';

interface Fixture {
  readonly dimensions: number;
  /** [N, D] */
  readonly features: readonly number[];
  /** What each row was drawn from, [N]. */
  readonly component: readonly number[];
  readonly kMeans: readonly {
    readonly clusters: number;
    /** The best of 50 starts. */
    readonly inertia: number;
    readonly miniBatchInertia: number;
    readonly fromFirstRows: { readonly inertia: number; readonly labels: readonly number[] };
    readonly euclidean: { readonly silhouette: number; readonly daviesBouldin: number };
    readonly spherical: { readonly silhouette: number; readonly daviesBouldin: number };
    readonly mutualInformation: number;
    readonly normalisedMutualInformation: number;
  }[];
  readonly assignment: readonly {
    readonly capacities: number[];
    /** [N, K] */
    readonly costs: readonly number[];
    /** The lowest possible. */
    readonly total: number;
  }[];
}

export const sklearn: Fixture = JSON.parse(readFileSync(new URL('../fixtures/sklearn.json', import.meta.url), 'utf8'));
export const sklearnFeatures: Float32Array = Float32Array.from(sklearn.features);
