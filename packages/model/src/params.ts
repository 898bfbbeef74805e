// Parameters by path. The compiler and the optimizer take any tree; a flat record keeps their types simple, and its
// keys are those of the safetensors file.
import { flattenTree, type Tensor, type TreeOf, unflattenTree } from '@paris/tensor';

/** Tensors by path: `layers.0.attn.in_proj_weight`. */
export type Params = { [path: string]: Tensor };

/** A network's parameters by path. */
export function toFlat(tree: TreeOf<Tensor>): Params {
  return Object.fromEntries(flattenTree<Tensor>(tree).map(({ path, value }) => [path, value]));
}

/** Parameters by path as the tree that a network takes. */
export function toTree(params: Params): TreeOf<Tensor> {
  return unflattenTree<Tensor>(Object.entries(params).map(([path, value]) => ({ path, value })));
}
