// Random graphs compiled with all passes, with none and with each alone, run as programs on the CPU: every one must
// mean what the graph says, read node by node in float64.
import { thorough } from '@paris/test-tools/thorough';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Value } from '../graph/node.js';
import { bufferLeaf, leafValue } from '../ops/leaf.js';
import { key } from '../random/index.js';
import type { Tensor } from '../tensor.js';
import { interpret, type Round } from '../testing/interpret.js';
import { interpretProgram, runProgram } from '../testing/interpret-program.testing.js';
import { Dice, graphInputs, half, randomProblem } from '../testing/random-graph.js';
import { allPasses, type Passes } from './passes.js';
import { compileProgram, type Dispatch, type Step, type Target } from './program.js';
import { KernelWriter } from './writer.js';

// More of them: npm run test:long -- passes, or PARIS_FUZZ_SEED=10000 PARIS_FUZZ_GRAPHS=100000 npm run test:long -- passes
const first = Number(process.env.PARIS_FUZZ_SEED ?? 0);
const graphs = Number(process.env.PARIS_FUZZ_GRAPHS ?? (thorough ? 800 : 240));

const names = Object.keys(allPasses) as (keyof Passes)[];
const noPasses = Object.fromEntries(names.map((name) => [name, false])) as unknown as Passes;
const only = (name: keyof Passes): Passes => ({ ...noPasses, [name]: true });

// The text of kernels is not run here, and half of the time would go into it. No spy: it would keep every writer.
const { module } = KernelWriter.prototype;
beforeAll(() => {
  KernelWriter.prototype.module = () => '';
});
afterAll(() => {
  KernelWriter.prototype.module = module;
});

const limits = {
  maxStorageBuffersPerShaderStage: 10,
  maxStorageBufferBindingSize: 2 ** 27,
  maxComputeWorkgroupsPerDimension: 65535,
};

function targetOf(seed: number, passes: Passes, memoryBudgetBytes?: number): Target {
  // Kernels for CPUs and for GPUs are cut in different ways.
  const adapter = { software: seed % 4 < 2, architecture: '', tuning: undefined };
  return { adapter, limits, f16: true, passes, memoryBudgetBytes };
}

/** f16 as it is stored; all else in float64, so that only what passes change can differ. */
const round: Round = (x, dtype) => (dtype === 'f16' ? half(x) : x);

interface Problem {
  readonly roots: readonly Tensor[];
  readonly leaves: ReadonlyMap<Value, Float64Array>;
  /** Throws, naming the seed and the graph, if what a program gave is not what the graph says. */
  check(variant: string, found: readonly ArrayLike<number>[]): number;
}

function problemOf(seed: number): Problem {
  const given = graphInputs(new Dice(key(seed)), key(seed).foldIn(1000), seed % 3 === 0);
  const inputs = given.map(({ type }) => leafValue(bufferLeaf, type));
  const { roots, names, steps } = randomProblem(inputs, seed);
  const leaves = new Map<Value, Float64Array>(inputs.map((input, i) => [input, given[i]!.data]));
  const exact = interpret(roots, { leaves, round });
  const check: Problem['check'] = (variant, found) => {
    found.forEach((elements, i) => {
      const scale = exact[i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
      if (elements.length !== exact[i]!.length)
        throw new Error(`seed ${seed}, ${variant}: ${names[i]} is of another size`);
      exact[i]!.forEach((x, j) => {
        if (Math.abs(elements[j]! - x) <= 1e-9 * scale) return;
        throw new Error(
          `seed ${seed}, ${variant}: ${names[i]}, element ${j} is ${elements[j]}, not ${x}.\n${steps.join('\n')}`,
        );
      });
    });
    return found.reduce((sum, { length }) => sum + length, 0);
  };
  return { roots, leaves, check };
}

describe('a program means what its graph says', () => {
  for (let start = first; start < first + graphs; start += 100) {
    it(`seeds ${start} to ${Math.min(start + 100, first + graphs) - 1}`, () => {
      for (let seed = start; seed < Math.min(start + 100, first + graphs); seed++) {
        const alone = names[seed % names.length]!;
        const { roots, leaves, check } = problemOf(seed);
        const variants: [string, Passes][] = [
          ['all passes', allPasses],
          ['no pass', noPasses],
          [`${alone} alone`, only(alone)],
        ];
        for (const [variant, passes] of variants) {
          const found = runProgram(roots, leaves, targetOf(seed, passes), round);
          expect(check(variant, found)).toBeGreaterThan(0);
        }
      }
    });
  }
});

describe('a program in the least memory that it can take means the same', () => {
  const share = Math.ceil(graphs / 20);
  it(`seeds ${first} to ${first + share - 1}`, () => {
    let remade = 0;
    // And one in which a kernel between stores nothing that could be waited for.
    const seeds = [...Array.from({ length: share }, (_, i) => first + i), 200_988];
    for (const seed of seeds) {
      const { roots, leaves, check } = problemOf(seed);
      const compiled = (budget?: number) =>
        compileProgram(roots, [...leaves.keys()], targetOf(seed, allPasses, budget));
      const least = leastBytes(compiled);
      const program = compiled(least);
      if (program.steps.length !== compiled().steps.length) remade++;
      check(`in ${least} bytes`, interpretProgram(program, [...leaves.keys()], leaves, round));
    }
    // Few random graphs have what can be made twice, but not none.
    expect(remade).toBeGreaterThan(share / 100);
  });
});

/** What the refusal of a budget that is too small says; 0 if all results are empty. */
function leastBytes(compiled: (budget: number) => unknown): number {
  try {
    compiled(0);
    return 0;
  } catch (error) {
    return Number(/at least (\d+) with/.exec((error as Error).message)![1]);
  }
}

describe('the run of a program finds', () => {
  const x = leafValue(bufferLeaf, { shape: [3, 5], dtype: 'f32' });
  const leaves = new Map([[x, Float64Array.from({ length: 15 }, (_, i) => Math.sin(i))]]);
  const [left, right] = [x.slice([null, [0, 4]]), x.slice([null, [1, 5]])];
  const root = x.matmul(x.transpose()).matmul(left.matmul(right.transpose()));
  const compiled = () => compileProgram([root], [x], targetOf(0, allPasses));
  const run = (change: (steps: Dispatch[]) => Step[]) => {
    const program = compiled();
    return interpretProgram({ ...program, steps: change(program.steps as Dispatch[]) }, [x], leaves);
  };
  const [exact] = interpret([root], { leaves });
  /** The same step with everything in the arena at one offset. */
  const together = (step: Dispatch): Dispatch => ({
    ...step,
    places: step.places.map((place) => (place.slot.kind === 'arena' ? { ...place, offsetBytes: 0 } : place)),
  });

  it('nothing where nothing is wrong', () => {
    run((steps) => steps)[0]!.forEach((value, i) => {
      expect(value).toBeCloseTo(exact![i]!, 12);
    });
  });
  it('a step that is missing, and steps in a wrong order', () => {
    expect(() => run((steps) => steps.slice(1))).toThrow('is read where nothing was written');
    expect(() => run((steps) => steps.toReversed())).toThrow('is read where nothing was written');
  });
  it('two values in one place, and a step that writes where it reads', () => {
    const [wrong] = run((steps) => steps.map(together));
    expect(wrong!.some((value, i) => Math.abs(value - exact![i]!) > 1e-3)).toBe(true);
    const inArena = ({ places }: Dispatch) => places.find(({ slot }) => slot.kind === 'arena')!;
    expect(() => run(([a, b, c]) => [a!, b!, { ...c!, places: c!.places.map(() => inArena(a!)) }])).toThrow(
      'matmul writes where it reads.',
    );
  });
  it('a window that is off', () => {
    expect(() =>
      run(([a, ...rest]) => [
        { ...a!, operands: a!.operands.map(({ base, window }) => ({ base, window: { ...window, strides: [5, 1] } })) },
        ...rest,
      ]),
    ).toThrow('matmul reads input 1 through a wrong window.');
  });
});
