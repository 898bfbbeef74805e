// Optimizers against PyTorch's own and against Muon as published, in float64 over twelve steps.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Tensor } from '../index.js';
import { hostTensor, relativeError, type StoredTensor } from '../testing/parity.js';
import { useDevice } from '../testing/use-device.testing.js';
import { flattenTree, unflattenTree } from '../tree.js';
import {
  type AdamWOptions,
  adamw,
  type MuonOptions,
  muon,
  type Optimizer,
  type SgdOptions,
  sgd,
  type TrainState,
} from './index.js';

type Stored = Record<string, StoredTensor>;
interface Fixture {
  readonly params: Stored;
  readonly gradients: readonly Stored[];
  readonly runs: readonly { readonly options: object; readonly result: Stored }[];
}
const optimizers: Record<string, (options: object) => Optimizer> = {
  sgd: (options) => sgd(options as SgdOptions),
  adamw: (options) => adamw(options as AdamWOptions),
  muon: (options) => muon(options as MuonOptions),
};
const device = useDevice();
const tensorsOf = (tree: unknown) => flattenTree<Tensor>(tree, (x): x is Tensor => x instanceof Tensor);

describe.each(Object.entries(optimizers))('%s', (name, make) => {
  const file = new URL(`../../fixtures/optim/${name}.json`, import.meta.url);
  const { params, gradients, runs } = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
  it.for(runs)('$options', async ({ options, result }, context) => {
    const on = device(context);
    const upload = (stored: Stored) =>
      unflattenTree(Object.entries(stored).map(([path, x]) => ({ path, value: on.tensor(hostTensor(x).data, x) })));
    const optimizer = make(options);
    const step = on.compile((state: TrainState<object>, g: object) => optimizer.update(state, g), { donate: [0] });
    let state = (await on.run(optimizer.init(upload(params)))) as TrainState<object>;
    for (const g of gradients) state = (await step(state as never, upload(g) as never)) as TrainState<object>;
    const found = tensorsOf(state.params);
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(result).sort());
    for (const { path, value } of found) {
      expect(relativeError(await value.read(), result[path]!), path).toBeLessThan(1e-5);
      expect(relativeError(hostTensor(params[path]!).data, result[path]!), path).toBeGreaterThan(1e-2);
    }
  });
});

it('muon takes no more dispatches for more layers', async (context) => {
  const on = device(context);
  const dispatches = async (layers: number) => {
    const params = {
      layers: Array.from({ length: layers }, () => ({
        up: on.tensor(new Float32Array(8 * 4).fill(1), { shape: [8, 4] }),
        down: on.tensor(new Float32Array(4 * 8).fill(1), { shape: [4, 8] }),
        bias: on.tensor(new Float32Array(8).fill(1)),
      })),
    };
    const optimizer = muon({ learningRate: 0.02, adamw: { learningRate: 1e-3 } });
    const state = await on.run(optimizer.init(params));
    const before = on.counters.dispatches;
    await on.run(optimizer.update(state, params));
    return on.counters.dispatches - before;
  };
  // 15 products; the norm, momentum and moments, the new parameters, and what the tree's packing takes.
  expect([await dispatches(2), await dispatches(6)]).toEqual([21, 21]);
});
