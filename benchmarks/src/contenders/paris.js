// Ours: compiled functions.
import { createDiT, ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { attention, gelu, mse, openDevice, unflattenTree, valueAndGrad } from '@paris/tensor';
import { adamw } from '@paris/tensor/optim';
import { ADAM, DIT, ditWeights } from '../rows.js';

export async function open() {
  const device = await openDevice();
  const upload = ({ data, shape }) => device.tensor(data, { shape });
  const uploadAll = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, upload(x)]));
  const readAll = async (results) => {
    const read = Object.entries(results).map(async ([name, x]) => [name, await x.read()]);
    return Object.fromEntries(await Promise.all(read));
  };
  const disposeAll = (results) => {
    for (const x of Object.values(results)) x.dispose();
  };
  /** A pure function of its inputs. */
  const pure = (fn, sets) => {
    const inputs = sets.map(uploadAll);
    const step = device.compile(fn);
    return {
      launch: (set) => step(inputs[set]),
      read: readAll,
      release: disposeAll,
      close: () => inputs.forEach(disposeAll),
    };
  };
  const config = parseDiTConfig(DIT);
  const dit = createDiT(config);
  const parameters = () =>
    unflattenTree(ditWeights(ditParameterShapes(config)).map(({ path, ...x }) => ({ path, value: upload(x) })));

  return {
    version: '@paris/tensor 0.1.0',
    works: {
      matmul({ layout, epilogue }, sets) {
        return pure(({ a, b, bias, gate, residual }) => {
          const x = layout === 'aᵀ·b' ? a.transpose() : a;
          const y = layout === 'a·bᵀ' ? b.transpose() : b;
          const product = x.matmul(y);
          if (epilogue === 'gelu') return { out: gelu(product.add(bias)) };
          if (epilogue === 'gate') return { out: residual.add(product.add(bias).mul(gate)) };
          return { out: product };
        }, sets);
      },

      attention({ backward }, sets) {
        if (!backward) return pure(({ q, k, v }) => ({ out: attention(q, k, v) }), sets);
        return pure(({ cotangent, ...qkv }) => {
          const weighted = ({ q, k, v }) => attention(q, k, v).mul(cotangent).sum();
          const [out, { q, k, v }] = valueAndGrad(weighted)(qkv);
          return { out, dq: q, dk: k, dv: v };
        }, sets);
      },

      'dit forward'(_, sets) {
        const params = parameters();
        const inputs = sets.map(uploadAll);
        const step = device.compile((params, { latents, time }) => ({ out: dit.apply(params, { latents, time }) }));
        return { launch: (set) => step(params, inputs[set]), read: readAll, release: disposeAll };
      },

      async 'dit train step'(_, sets) {
        const optimizer = adamw(ADAM);
        let state = await device.run(optimizer.init(parameters()));
        const batch = uploadAll(sets[0]);
        const step = device.compile(
          (state, { latents, time, target }) => {
            const lossOf = (params) => mse(dit.apply(params, { latents, time }), target);
            const [loss, gradients] = valueAndGrad(lossOf)(state.params);
            return { state: optimizer.update(state, gradients), loss };
          },
          { donate: [0] },
        );
        return {
          async launch() {
            const result = await step(state, batch);
            state = result.state;
            return { loss: result.loss };
          },
          read: readAll,
          release: disposeAll,
        };
      },
    },
  };
}
