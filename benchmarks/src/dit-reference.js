// Writes fixtures/dit.json: what the DiT of the rows gives, and the losses of its training, in float64 on the host (the
// interpreter of @paris/tensor/testing walks the graph node by node; no shader takes part). Takes some minutes.
//   npm run reference --workspace=@paris/benchmarks [-- small | demo | deep]
import { writeFileSync } from 'node:fs';
import { createDiT, ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { flattenTree, mse, openDevice, unflattenTree, valueAndGrad } from '@paris/tensor';
import { adamw } from '@paris/tensor/optim';
import { interpret } from '@paris/tensor/testing';
import { ADAM, DITS, ditWeights, inputsOf, ROWS } from './rows.js';

const dit = DITS[process.argv[2] ?? 'small'];
if (!dit)
  throw new Error(`[reference] there is no DiT ${process.argv[2]}: take one of ${Object.keys(DITS).join(', ')}.`);
const ownRows = ROWS.filter((row) => row.dit === dit);
const STEPS = ownRows.some(({ fresh }) => fresh) ? 1 : 64;
const PICKED_EVERY = 31;

const device = await openDevice({ require: 'cpu' }); // holds the leaves; runs nothing
const leaves = new Map();
const leaf = ({ data, shape }) => {
  const tensor = device.tensor(Float32Array.from(data), { shape });
  leaves.set(tensor.value, data);
  return tensor;
};
const leavesOf = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, leaf(x)]));

const config = parseDiTConfig(dit.config);
const network = createDiT(config);
const weights = ditWeights(ditParameterShapes(config));
const params = unflattenTree(weights.map(({ path, ...x }) => ({ path, value: leaf(x) })));

const forwardRow = ownRows.find(({ work }) => work === 'dit forward');
const forward = (forwardRow ? [0, 1] : []).map((set) => {
  const [out] = interpret([network.apply(params, leavesOf(inputsOf(forwardRow, set)))], { leaves });
  return Object.fromEntries([...out.entries()].filter(([i]) => i % PICKED_EVERY === 0));
});

const row = ownRows.find(({ work }) => work !== 'dit forward');
const { latents, time, target } = leavesOf(inputsOf(row, 0));
const optimizer = adamw(ADAM);
const losses = [];
let state = optimizer.init(params);
for (let i = 0; i < STEPS; i++) {
  const [loss, gradients] = valueAndGrad((p) => mse(network.apply(p, { latents, time }), target))(state.params);
  const entries = flattenTree(optimizer.update(state, gradients));
  const [value, ...rest] = interpret([loss, ...entries.map(({ value: tensor }) => tensor)], { leaves });
  losses.push(value[0]);
  // The next step starts from numbers, in double precision as they are.
  state = unflattenTree(
    entries.map(({ path, value: { shape, dtype } }, at) => {
      const tensor = device.tensor(Float32Array.from(rest[at]), { shape });
      const next = dtype === 'f32' ? tensor : tensor.cast(dtype);
      leaves.set(tensor.value, rest[at]);
      return { path, value: next };
    }),
  );
  console.error(`step ${i}: loss ${value[0]}`);
}

writeFileSync(
  new URL(`../fixtures/${dit.name}.json`, import.meta.url),
  `${JSON.stringify({ forward, losses }, null, 1)}\n`,
);
process.exit(0);
