import { ParisError } from '@paris/tensor';

/** Pictures or settings that cannot be clustered. */
export class ClusteringError extends ParisError {
  override readonly code = 'CLUSTERING';
}
