import { layerNorm, split, type Tensor } from '@paris/tensor';

/** The modulation of a block's two branches: each is normalised, scaled and shifted, and gated. All are [B, 1, d]. */
export interface Modulation {
  readonly attention: Branch;
  readonly mlp: Branch;
}
/** How one branch is modulated: LN(x) · (1 + scale) + shift goes in, gate multiplies what comes out. */
export interface Branch {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** Six modulations of a block, [B, 6, d] in DiT's order: shift, scale, gate of attention, then of the MLP. */
export function blockModulation(modulation: Tensor): Modulation {
  const [shiftA, scaleA, gateA, shiftM, scaleM, gateM] = split(modulation, 6, 1) as Tensor[];
  return {
    attention: { shift: shiftA!, scale: scaleA!, gate: gateA! },
    mlp: { shift: shiftM!, scale: scaleM!, gate: gateM! },
  };
}

/**
 * Adaptive layer norm: LN(x) · (1 + scale) + shift, with no weights of its own.
 * @param x - [B, N, d]; shift and scale [B, 1, d]
 * @see https://arxiv.org/abs/2212.09748 §3.2
 */
export function adaptiveLayerNorm(x: Tensor, { shift, scale }: Pick<Branch, 'shift' | 'scale'>, eps: number): Tensor {
  return layerNorm(x, { eps }).mul(scale.add(1)).add(shift);
}
