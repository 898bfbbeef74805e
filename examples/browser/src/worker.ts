// Everything that computes: one device for the model that is sampled and for the expert that is trained.
import { loadPipeline, type Pipeline } from '@paris/sampler';
import { type Device, openDevice } from '@paris/tensor';
import type { Reply, Request } from './messages.js';
import { drawPictures } from './pictures.js';
import { train } from './training.js';

let device: Device;
let pipeline: Pipeline;
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
  const started = performance.now();
  const done = (images: Extract<Reply, { kind: 'done' }>['images']) =>
    reply({ kind: 'done', seconds: (performance.now() - started) / 1000, images });

  if (request.kind === 'open') {
    device = await openDevice();
    pipeline = await loadPipeline(request.model, { device });
    reply({ kind: 'drawings', images: drawPictures().images });
    reply({ kind: 'ready', adapter: device.info.adapter, experts: pipeline.index.clusters });
  } else if (request.kind === 'sample') {
    const { prompt, seed, steps, routing, count } = request;
    const { images } = await pipeline.generate({
      prompt,
      seed,
      steps,
      routing,
      count,
      signal,
      onStep: async ({ step, steps, routing, preview }) => {
        const weights = routing.map((records) => [...records[0]!.weights]);
        reply({ kind: 'step', step, steps, images: await preview(), weights });
      },
    });
    done(images);
  } else {
    const onLoss = (losses: number[]) => reply({ kind: 'loss', losses, steps: request.steps });
    done(await train(device, { steps: request.steps, signal, onLoss }));
  }
}

function reply(message: Reply): void {
  self.postMessage(message);
}
