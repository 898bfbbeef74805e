// Which kernels are fastest for DiT-XL/2: one guided step, and training at batch 8.
import { writeFileSync } from 'node:fs';
import { tune } from '@paris/tensor';

export async function run({ open, note, tiny, secondsLeft, tuningFile }) {
  const device = await open();
  const found = [];
  const [d, heads, tokens] = tiny ? [16, 2, 16] : [1152, 16, 256];
  const signal = AbortSignal.timeout(Math.max(1, Math.round(1000 * (secondsLeft() - 5))));
  const table = await tune(device, {
    matmul: (tiny ? [1] : [2, 8]).flatMap((batch) => products(batch * tokens, d, tiny)),
    attention: [{ batch: 2, tokens, heads, headDim: d / heads }],
    repetitions: 5,
    ...(tiny && { candidates: 2 }),
    signal,
    onProgress(progress) {
      found.push(progress);
      note({ classes: found });
    },
  });
  writeFileSync(tuningFile, `${JSON.stringify(table, null, 2)}\n`);
  note({ better: Object.keys(table.matmul).length + Object.keys(table.attention).length });
  await device.close();
  return !signal.aborted;
}

/** Of the layers of a block, forward, and backward towards activations and weights; the largest first. */
function products(rows, d, tiny) {
  const layers = [
    [d, 4 * d],
    [4 * d, d],
    [d, 3 * d],
    [d, d],
  ];
  return (tiny ? layers.slice(3) : layers).flatMap(([inputs, outputs]) => [
    { m: rows, n: outputs, k: inputs, batch: 1 },
    { m: rows, n: inputs, k: outputs, batch: 1 },
    { m: outputs, n: inputs, k: rows, batch: 1 },
  ]);
}
