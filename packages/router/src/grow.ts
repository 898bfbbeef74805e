// A router that learns to know further clusters: its old rows stay, new ones are added to its last layer.
import { checkName } from '@paris/files';
import { CheckpointError, concat, stopGradient, type Tensor, ValueError } from '@paris/tensor';
import { type GrownPart, grownParts } from './grown-parts.js';

/** A router's weights on the host, by name. */
export type RouterWeights = {
  readonly [path: string]: { readonly data: Float32Array; readonly shape: readonly number[] };
};

const [weightName, biasName] = ['head.4.weight', 'head.4.bias'];

/**
 * The weights of a router of more clusters. All that was there stays; each new row of the last layer is the mean of the old
 * rows, and its bias is the mean bias + log(K·π / (1 − Σπ)). So, on a picture about which the old router knows nothing
 * (all logits equal), a new cluster begins with its share π of the pictures; where the old router is sure, the mean of its
 * logits lies far below the largest, and its answer stays.
 * @param shares - π of each new cluster among all pictures, each above 0, together below 1
 * @throws CheckpointError if these are not the weights of a router transformer; ValueError for shares that are none
 */
export function growRouter(weights: RouterWeights, shares: readonly number[]): RouterWeights {
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (!shares.every((share) => share > 0) || !(total < 1)) {
    throw new ValueError(
      'growRouter',
      `the shares are [${shares.join(', ')}]. Give numbers above 0 with a sum below 1.`,
    );
  }
  const [weight, bias] = [weights[weightName], weights[biasName]];
  if (weight?.shape.length !== 2 || bias?.shape.length !== 1) {
    const what = `these are not the weights of a router transformer: there is no ${weightName} with two axes`;
    throw new CheckpointError('growRouter', `${what}. Train a router of more clusters from the start.`);
  }
  const [clusters, width] = weight.shape as [number, number];
  const grown = clusters + shares.length;
  const row = Array.from({ length: width }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < clusters; k++) sum += weight.data[k * width + at]!;
    return sum / clusters;
  });
  const mean = bias.data.reduce((sum, value) => sum + value, 0) / clusters;
  const biases = shares.map((share) => mean + Math.log((clusters * share) / (1 - total)));
  return {
    ...weights,
    [weightName]: { data: Float32Array.from([...weight.data, ...shares.flatMap(() => row)]), shape: [grown, width] },
    [biasName]: { data: Float32Array.from([...bias.data, ...biases]), shape: [grown] },
  };
}

/**
 * Traced: the parameters, of which only one part has a gradient. What has none keeps its bits through a training without weight
 * decay.
 * @param known - the clusters that the old router knew
 * @throws ValueError for another part
 */
export function trainablePart(
  params: { [path: string]: Tensor },
  part: GrownPart,
  known: number,
): { [path: string]: Tensor } {
  checkName('trainablePart', 'the part', part, grownParts);
  if (part === 'all') return params;
  return Object.fromEntries(
    Object.entries(params).map(([path, value]) => {
      if (part === 'head') return [path, path.startsWith('head.') ? value : stopGradient(value)];
      if (path !== weightName && path !== biasName) return [path, stopGradient(value)];
      const rest = value.shape.slice(1).map(() => null);
      const [old, fresh] = [value.slice([[0, known], ...rest]), value.slice([[known, value.shape[0]!], ...rest])];
      return [path, concat([stopGradient(old), fresh], 0)];
    }),
  );
}
