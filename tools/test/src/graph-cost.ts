// What a lazy graph would cost to run, counted from its nodes: the check of what packages say from a config alone.

interface Typed {
  readonly shape: readonly number[];
}
interface GraphNode {
  readonly op: { readonly name: string };
  readonly inputs: readonly (Typed & { readonly node: GraphNode })[];
  readonly outputs: readonly Typed[];
}

/** Multiply-accumulates, and numbers written, of every matrix product and attention that a tensor needs. */
export function graphCost(tensor: { readonly node: GraphNode }): { macs: number; activations: number } {
  const seen = new Set<GraphNode>();
  const open = [tensor.node];
  const cost = { macs: 0, activations: 0 };
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...node.inputs.map((input) => input.node));
    const macs = macsOf[node.op.name];
    if (!macs) continue;
    cost.macs += macs(node);
    cost.activations += node.outputs.reduce((all, output) => all + size(output), 0);
  }
  return cost;
}

const macsOf: Record<string, (node: GraphNode) => number> = {
  // [..., rows, inner] × [..., inner, columns]
  matmul: ({ inputs, outputs }) => size(outputs[0]!) * inputs[0]!.shape.at(-1)!,
  // queries [B, N, H, d] and keys [B, M, H, d]: the scores, and their product with the values
  attention: ({ inputs }) => 2 * size(inputs[0]!) * inputs[1]!.shape[1]!,
};

function size({ shape }: Typed): number {
  return shape.reduce((all, n) => all * n, 1);
}
