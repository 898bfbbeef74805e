// From nothing to the loss of the first training step of DiT-B/2 at batch 4: shaders are compiled on the way.
import { configOf, drawnExpert, drawnInput } from './networks.js';
import { trainingStep } from './training-step.js';

export async function run({ open, note, tiny }) {
  const began = performance.now();
  const device = await open();
  const opened = performance.now();
  const config = configOf('dit-b-2', tiny);
  const { expert, params } = drawnExpert(device, config, 'f32');
  const step = await trainingStep(device, expert, params, drawnInput(device, config, tiny ? 1 : 4));
  const ready = performance.now();
  const firstMs = await step();
  note({ openMs: opened - began, weightsMs: ready - opened, firstMs, secondMs: await step() });
  await device.close();
}
