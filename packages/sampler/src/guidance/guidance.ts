/** Classifier-free guidance, traced. */

import { type Condition, concatConditions } from '@paris/model';
import { concat, type Tensor } from '@paris/tensor';

/** A network that is asked for its prediction: `expert.apply` with its parameters. */
export type Predict = (latents: Tensor, time: Tensor, condition?: Condition) => Tensor;

/**
 * unconditional + guidance · (conditional − unconditional), arXiv 2207.12598 eq. 6 with guidance = 1 + w. Both come
 * from one call on a batch of twice the size. For guidance 1 ask `predict` itself: it is the conditional alone.
 * @param latents - [B, C, H, W]
 * @param time - [B]
 * @param guidance - a tensor of one element: an input, so another guidance is the same plan
 */
export function classifierFreeGuidance(
  predict: Predict,
  latents: Tensor,
  time: Tensor,
  conditions: { readonly condition: Condition; readonly unconditional: Condition },
  guidance: Tensor,
): Tensor {
  const batch = latents.shape[0]!;
  const both = predict(
    concat([latents, latents], 0),
    concat([time, time], 0),
    concatConditions(conditions.condition, conditions.unconditional),
  );
  const rest = latents.shape.slice(1).map(() => null);
  const conditional = both.slice([[0, batch], ...rest]);
  const unconditional = both.slice([[batch, 2 * batch], ...rest]);
  return unconditional.add(conditional.sub(unconditional).mul(guidance));
}
