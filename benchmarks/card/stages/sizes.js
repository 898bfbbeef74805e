// A guided step of DiT-XL/2: both sides of the guidance in one forward of batch 2, as a sampler asks for them.
import { toTree } from '@paris/model';
import { median } from '../../src/data.js';
import { configOf, drawnExpert, drawnInput } from './networks.js';

const REPETITIONS = 10;

export async function run({ open, note, tiny, secondsLeft }) {
  const config = configOf('dit-xl-2', tiny);
  const formats = {};
  for (const format of ['f32', 'f16', 'q8', 'q4']) {
    if (secondsLeft() < 0) return false;
    formats[format] = await timed(open, config, format, tiny ? 2 : REPETITIONS).catch((error) => ({
      error: error.message,
    }));
    note({ batch: 2, formats });
  }
  return true;
}

/** A device of its own: nothing of another format is in its memory. */
async function timed(open, config, format, repetitions) {
  const device = await open();
  try {
    const dtype = format === 'f32' ? 'f32' : 'f16';
    if (dtype === 'f16' && !device.hasFeature('shader-f16')) return { skipped: 'the adapter has no shader-f16' };
    const start = performance.now();
    const { expert, params, bytes } = drawnExpert(device, config, format);
    await device.gpu.queue.onSubmittedWorkDone();
    const uploadMs = performance.now() - start;
    const { tokens, ...input } = drawnInput(device, config, 2, dtype);
    const step = device.compile((byName, { tokens, ...rest }) =>
      expert.apply(toTree(byName), { ...rest, condition: { kind: 'embeddings', tokens } }),
    );
    const once = async () => {
      const began = performance.now();
      const made = await step(params, { ...input, tokens });
      const values = await made.read();
      made.dispose();
      return { ms: performance.now() - began, finite: values.every(Number.isFinite) };
    };
    const cold = await once();
    const times = [];
    for (let i = 0; i < repetitions; i++) times.push((await once()).ms);
    return { ms: median(times), times, coldMs: cold.ms, finite: cold.finite, uploadMs, megabytes: bytes / 1e6 };
  } finally {
    await device.close();
  }
}
