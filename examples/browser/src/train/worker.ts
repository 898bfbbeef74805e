// Everything that computes: one device for the expert that is trained and the model that it becomes.
import { type Device, openDevice } from '@paris/tensor';
import type { Reply, Request } from './messages.js';
import { drawPictures } from './pictures.js';
import { train } from './training.js';

let device: Device;
let stop = new AbortController();

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'stop') return stop.abort();
  stop = new AbortController();
  try {
    await answer(request, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) reply({ kind: 'stopped' });
    else reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
};

async function answer(request: Exclude<Request, { kind: 'stop' }>, signal: AbortSignal): Promise<void> {
  if (request.kind === 'open') {
    device = await openDevice(request.device ? { require: request.device } : {});
    return reply({ kind: 'ready', adapter: device.info.adapter, drawings: drawPictures().images });
  }
  const started = performance.now();
  const onLoss = (losses: number[]) => reply({ kind: 'loss', losses, steps: request.steps });
  const images = await train(device, { steps: request.steps, signal, onLoss });
  reply({ kind: 'done', seconds: (performance.now() - started) / 1000, images });
}

function reply(message: Reply): void {
  self.postMessage(message);
}
