// Random graphs and their gradients on the device against a float64 reading of the same nodes.
import type { Device } from '../device/device.js';
import { key } from '../random/index.js';
import { interpret } from '../testing/interpret.js';
import { Dice, graphInputs, half, randomProblem } from '../testing/random-graph.js';
import { declareSuite } from '../testing/suite.js';

// More of them: PARIS_FUZZ_SEED=1000 PARIS_FUZZ_GRAPHS=500 npx vitest run packages/tensor/src/compile/fuzz.test.ts
const { PARIS_FUZZ_SEED, PARIS_FUZZ_GRAPHS, PARIS_THOROUGH } = globalThis.process?.env ?? {};
const first = Number(PARIS_FUZZ_SEED ?? 0);
const graphs = Number(PARIS_FUZZ_GRAPHS ?? (PARIS_THOROUGH ? 150 : 50));

declareSuite({
  name: 'random graphs',
  cases: Array.from({ length: Math.ceil(graphs / 10) }, (_, i) => first + 10 * i).map((start, i) => ({
    name: `seeds ${start} to ${start + 9}: values, and gradients of every other one`,
    async run({ device, brief }) {
      let compared = 0;
      // Where time is short, two graphs of the first six tens.
      for (let seed = start; seed < start + (brief ? (i < 6 ? 2 : 1) : 10); seed++)
        compared += await checkGraph(device, seed);
      return { compared };
    },
  })),
});

/** How many elements were compared. */
async function checkGraph(on: Device, seed: number): Promise<number> {
  const f16 = on.hasFeature('shader-f16') && seed % 3 === 0;
  const given = graphInputs(new Dice(key(seed)), key(seed).foldIn(1000), f16);
  const inputs = given.map(({ type, data }) => on.tensor(Float32Array.from(data), type));
  const { roots, names, steps } = randomProblem(inputs, seed);
  const leaves = new Map(inputs.map((input, i) => [input, given[i]!.data]));
  const exact = interpret(roots, { leaves });
  // How far rounding carries in this graph bounds how far the device may be off.
  const rounded = interpret(roots, { leaves, round: (x, dtype) => (dtype === 'f16' ? half(x) : Math.fround(x)) });
  await on.run(roots);
  for (const [i, root] of roots.entries()) {
    const actual = await root.read();
    const scale = exact[i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 2e-2);
    const carried = exact[i]!.reduce((most, x, j) => Math.max(most, Math.abs(x - rounded[i]![j]!)), 0);
    const allowed = (f16 ? 4e-3 : 1e-4) * scale + 50 * carried;
    exact[i]!.forEach((x, j) => {
      if (Math.abs(actual[j]! - x) <= allowed) return;
      throw new Error(
        `seed ${seed}, ${names[i]} ${root.dtype} [${root.shape}], element ${j}: ${actual[j]} on the device, ${x} read, ${allowed} allowed.\n${steps.join('\n')}`,
      );
    });
  }
  for (const tensor of [...roots, ...inputs]) tensor.dispose();
  return exact.reduce((sum, { length }) => sum + length, 0);
}
