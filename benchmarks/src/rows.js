// What is measured: each row is a work with its sizes, the inputs of which there are two sets in turns (what an earlier
// repetition left in a buffer is then a wrong answer), and how close to float64 a result must be.
import { sizeOf, uniform } from './data.js';

/** The DiTs: DiT's own blocks (adaLN-zero), without a condition but the time. What they give is in fixtures/NAME.json. */
function ditOf(name, batch, config) {
  const rest = { condition: { kind: 'none' }, modulation: 'zero', timeScale: 1, layerNormEps: 1e-6 };
  return { name, batch, config: { ...config, ...rest } };
}
export const DITS = {
  small: ditOf('dit', 4, { inputSize: 16, channels: 4, patchSize: 2, hiddenSize: 128, depth: 2, heads: 2 }),
  demo: ditOf('dit-demo', 16, { inputSize: 16, channels: 3, patchSize: 4, hiddenSize: 64, depth: 3, heads: 4 }),
  deep: ditOf('dit-deep', 4, { inputSize: 16, channels: 4, patchSize: 2, hiddenSize: 128, depth: 6, heads: 2 }),
};
export const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/**
 * How many of a work are queued at once, the last of them read: about four GFLOP, a tenth of a second on a processor. After a
 * pause Linux may leave two threads on one of two processors for 20 ms, which would be all that a shorter one measures.
 */
function queued(flop) {
  return Math.max(1, 2 ** Math.round(Math.log2(4e9 / flop)));
}

/** Products: `layout` says which operand is stored transposed. */
function product(name, { batch = 1, m, n, k, layout = 'a·b', epilogue }) {
  const flop = 2 * batch * m * n * k;
  const lead = batch > 1 ? [batch] : [];
  const shapes = {
    a: [...lead, ...(layout === 'aᵀ·b' ? [k, m] : [m, k])],
    b: [...lead, ...(layout === 'a·bᵀ' ? [n, k] : [k, n])],
    ...(epilogue ? { bias: [n] } : {}),
    ...(epilogue === 'gate' ? { gate: [n], residual: [m, n] } : {}),
  };
  return {
    ...{
      work: 'matmul',
      name,
      shape: `${batch > 1 ? `${batch} × ` : ''}${m}×${k} · ${k}×${n}`,
      shapes,
      layout,
      epilogue,
    },
    ...{ batch, m, n, k, flop, count: queued(flop), varies: ['a'], tolerance: 1e-4 },
  };
}

function attention(tokens, keys, heads, headDim, backward) {
  const [q, k] = [
    [1, tokens, heads, headDim],
    [1, keys, heads, headDim],
  ];
  const flop = (backward ? 7 : 2) * 2 * tokens * keys * heads * headDim;
  return {
    ...{ work: 'attention', name: `attention ${backward ? 'forward + backward' : 'forward'}` },
    shape: `${tokens} × ${keys} tokens, ${heads} heads of ${headDim}`,
    ...{
      shapes: { q, k, v: k, ...(backward ? { cotangent: q } : {}) },
      tokens,
      keys,
      heads,
      headDim,
      backward,
    },
    ...{ flop, count: queued(flop), varies: ['q'], tolerance: 2e-4 },
  };
}

function dit(work, dit, rest = {}) {
  const { batch, config } = dit;
  const latents = [batch, config.channels, config.inputSize, config.inputSize];
  const forward = work === 'dit forward';
  const count = forward ? 8 : 4;
  return {
    ...{ work, name: work.replace('dit train', 'DiT training').replace('dit', 'DiT'), dit },
    shape: `width ${config.hiddenSize}, ${config.depth} blocks, ${(config.inputSize / config.patchSize) ** 2} tokens, batch ${batch}`,
    ...{ shapes: { latents, time: [batch], ...(forward ? {} : { target: latents }) }, count },
    ...{ varies: forward ? ['latents'] : [], tolerance: forward ? 5e-4 : 5e-5, ...rest },
  };
}

export const ROWS = [
  ...[128, 256, 384, 512, 1024].map((n) => product('matmul', { m: n, n, k: n })),
  product('matmul, batched', { batch: 8, m: 128, n: 128, k: 128 }),
  product('matmul, a·bᵀ', { m: 256, n: 256, k: 256, layout: 'a·bᵀ' }),
  product('matmul, aᵀ·b', { m: 256, n: 256, k: 256, layout: 'aᵀ·b' }),
  product('matmul + bias, GELU', { m: 256, n: 512, k: 128, epilogue: 'gelu' }),
  product('matmul + bias, · gate, + residual', { m: 256, n: 128, k: 512, epilogue: 'gate' }),
  ...[64, 72].flatMap((d) => [false, true].map((backward) => attention(256, 256, 4, d, backward))),
  ...[64, 72].flatMap((d) => [false, true].map((backward) => attention(1024, 1024, 1, d, backward))),
  ...[false, true].map((backward) => attention(256, 77, 4, 64, backward)),
  dit('dit forward', DITS.small),
  dit('dit train step', DITS.small),
  dit('dit train step', DITS.demo),
  // In new processes: what nothing has prepared.
  dit('dit first step', DITS.deep, { fresh: true, count: 1 }),
  {
    ...{ work: 'dispatches', name: 'dispatches', shape: '1000 of one workgroup in a submit', shapes: {}, count: 1 },
    ...{ varies: [], tolerance: 0 },
  },
].map((row, id) => ({ id, dtype: 'f32', ...row }));

/** The inputs of a row by name, of set 0 or 1. */
export function inputsOf(row, set) {
  return Object.fromEntries(
    Object.entries(row.shapes).map(([name, shape], i) => {
      const seed = 100 * row.id + 10 * i + (row.varies.includes(name) ? set : 0);
      const data = uniform(sizeOf(shape), seed);
      return [name, { shape, data: name === 'time' ? data.map((x) => (x + 1) / 2) : data }];
    }),
  );
}

/** Every parameter of the DiT, small and none of them zero: shapes by key, from `ditParameterShapes`. */
export function ditWeights(shapes) {
  return Object.entries(shapes).map(([path, shape], i) => {
    const scale = shape.length > 1 ? 1 / Math.sqrt(sizeOf(shape.slice(1))) : 0.02;
    return { path, shape, data: uniform(sizeOf(shape), 10_000 + i, scale) };
  });
}
