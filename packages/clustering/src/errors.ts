import { ParisError } from '@paris/tensor';

/** Pictures cannot be clustered, or not with these settings. */
export class ClusteringError extends ParisError {
  override readonly code = 'CLUSTERING';
}
