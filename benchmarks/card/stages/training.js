// Training steps of DiT-XL/2 in f32 with AdamW, at batches from 1 up, as long as they fit.

import { median } from '../../src/data.js';
import { configOf, drawnExpert, drawnInput } from './networks.js';
import { trainingStep } from './training-step.js';

export async function run({ open, note, tiny, secondsLeft }) {
  const config = configOf('dit-xl-2', tiny);
  const batches = {};
  for (const batch of tiny ? [1] : [1, 2, 4, 8, 16, 32]) {
    if (secondsLeft() < 0) return false;
    batches[batch] = await timed(open, config, batch).catch((error) => ({ error: error.message.split('\n')[0] }));
    note({ batches });
    if (batches[batch].error) break; // larger ones fit no better
  }
  return true;
}

async function timed(open, config, batch) {
  const device = await open();
  try {
    const { expert, params } = drawnExpert(device, config, 'f32');
    const input = drawnInput(device, config, batch);
    const step = await trainingStep(device, expert, params, input);
    const times = [];
    for (let i = 0; i < 4; i++) times.push(await step());
    const ms = median(times.slice(1));
    return { ms, picturesPerSecond: (1000 * batch) / ms, coldMs: times[0], bytes: device.counters.bytesAllocated };
  } finally {
    await device.close();
  }
}
