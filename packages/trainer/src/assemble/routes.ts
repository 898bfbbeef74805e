// Whether a model can be routed as is asked, said before anything is trained or written.
import { parseRoutingPolicy, type RoutingPolicy } from '@paris/router';
import { key } from '@paris/tensor';

/** The policy of a name. Without this every picture of the model would fail. @throws ValueError for one that asks more experts than there are */
export function policyFor(name: string, clusters: number): RoutingPolicy {
  const policy = parseRoutingPolicy(name);
  const probabilities = new Float32Array(clusters).fill(1 / clusters);
  policy(probabilities, { imageIndex: 0, step: 0, evaluation: 0, time: 1, key: key(0) });
  return policy;
}
