// A training step of an expert: loss, gradients, AdamW.
import { toTree } from '@paris/model';
import { mse, valueAndGrad } from '@paris/tensor';
import { adamw } from '@paris/tensor/optim';

/** A function that takes a step and gives the milliseconds until its loss is read. */
export async function trainingStep(device, expert, params, { latents, time, tokens }) {
  const optimizer = adamw({ learningRate: 1e-4 });
  let state = await device.run(optimizer.init(params));
  const step = device.compile(
    (state, { latents, time, tokens }) => {
      const lossOf = (own) => {
        const condition = { kind: 'embeddings', tokens };
        return mse(expert.apply(toTree(own), { latents, time, condition }), latents);
      };
      const [loss, gradients] = valueAndGrad(lossOf)(state.params);
      return { state: optimizer.update(state, gradients), loss };
    },
    { donate: [0] },
  );
  return async () => {
    const start = performance.now();
    const result = await step(state, { latents, time, tokens });
    state = result.state;
    const loss = await result.loss.item();
    result.loss.dispose();
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    return performance.now() - start;
  };
}
