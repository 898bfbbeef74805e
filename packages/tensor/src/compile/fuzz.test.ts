// Random graphs and their gradients on the device against a float64 reading of the same nodes.
import { grad } from '../autodiff/gradient.js';
import type { Device } from '../device/device.js';
import { topologicalOrder, type Value } from '../graph/node.js';
import { sizeOf } from '../graph/shape.js';
import { hostNormal, key } from '../random/index.js';
import type { Tensor } from '../tensor.js';
import { interpret } from '../testing/interpret.js';
import { Dice, inputShapes, randomGraph } from '../testing/randomGraph.js';
import { declareSuite } from '../testing/suite.js';

// More of them: PARIS_FUZZ_SEED=1000 PARIS_FUZZ_GRAPHS=500 npx vitest run packages/tensor/src/compile/fuzz.test.ts
const { PARIS_FUZZ_SEED, PARIS_FUZZ_GRAPHS } = globalThis.process?.env ?? {};
const first = Number(PARIS_FUZZ_SEED ?? 0);
const graphs = Number(PARIS_FUZZ_GRAPHS ?? 60);

declareSuite({
  name: 'random graphs',
  cases: Array.from({ length: Math.ceil(graphs / 10) }, (_, i) => first + 10 * i).map((start) => ({
    name: `seeds ${start} to ${start + 9}: values, and gradients of every other one`,
    async run({ device, brief }) {
      let compared = 0;
      for (let seed = start; seed < start + (brief ? 2 : 10); seed++) compared += await checkGraph(device, seed);
      return { compared };
    },
  })),
});

/** How many elements were compared. */
async function checkGraph(on: Device, seed: number): Promise<number> {
  const dice = new Dice(key(seed));
  const inputs = inputShapes(dice).map((shape, i) =>
    on.tensor(hostNormal(key(seed).foldIn(1000 + i), sizeOf(shape)), { shape }),
  );
  const length = 5 + dice.roll(36);
  const saved = key(seed).foldIn(2000);
  const { results, steps } = randomGraph(inputs, length, new Dice(saved));
  const roots = [...results];
  if (seed % 2 === 0) {
    const loss = (params: Tensor[]) =>
      randomGraph(params, length, new Dice(saved))
        .results.map((result) => result.mul(result.sub(0.5)).mean())
        .reduce((a, b) => a.add(b));
    roots.push(...grad(loss)(inputs));
  }
  const leaves = await leavesOf(roots, inputs);
  const exact = interpret(roots, { leaves });
  // How far rounding to f32 carries in this graph bounds how far the device may be off.
  const rounded = interpret(roots, { leaves, round: Math.fround });
  await on.run(roots);
  for (const [i, root] of roots.entries()) {
    const actual = await root.read();
    const scale = exact[i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 2e-2);
    const carried = exact[i]!.reduce((most, x, j) => Math.max(most, Math.abs(x - rounded[i]![j]!)), 0);
    const allowed = 1e-4 * scale + 50 * carried;
    exact[i]!.forEach((x, j) => {
      if (Math.abs(actual[j]! - x) <= allowed) return;
      const what = i < results.length ? `result ${i}` : `the gradient of input ${i - results.length}`;
      throw new Error(
        `seed ${seed}, ${what} [${root.shape}], element ${j}: ${actual[j]} on the device, ${x} read, ${allowed} allowed.\n${steps.join('\n')}`,
      );
    });
  }
  for (const tensor of [...roots, ...inputs]) tensor.dispose();
  return exact.reduce((sum, { length }) => sum + length, 0);
}

/** The elements of every buffer that the roots are made of: the inputs, and ids that the graph brings along. */
async function leavesOf(roots: readonly Tensor[], inputs: readonly Tensor[]): Promise<Map<Value, ArrayLike<number>>> {
  const leaves = new Map<Value, ArrayLike<number>>();
  for (const input of inputs) leaves.set(input.value, await input.read());
  const on = inputs[0]!.device!;
  for (const node of topologicalOrder(roots.map(({ value }) => value))) {
    const [value] = node.outputs;
    if (value?.storage && !leaves.has(value)) leaves.set(value, await on.download(value));
  }
  return leaves;
}
