// Draws in this browser, in a worker: on the GPU through WebGPU, or on the CPU.
import { DeviceLost, type DrawRequest, type Engine, type ModelInfo, type Show } from './engine.js';
import type { DeviceKind, ModelMemory, ModelSource, Reply, Request } from './messages.js';

interface Drawing {
  readonly show: Show;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Loads a model from a folder. @throws an error that says what does not fit */
export async function openLocal(
  source: ModelSource,
  name: string,
  memory: ModelMemory,
  onProgress: (loadedBytes: number, totalBytes: number) => void,
): Promise<Engine> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const ask = (request: Request) => worker.postMessage(request);
  const drawings = new Map<number, Drawing>();
  try {
    const model = await new Promise<Omit<ModelInfo, 'name'>>((resolve, reject) => {
      worker.onerror = ({ message }) => {
        const error = new Error(`The worker that draws ended: ${message || 'it could not be loaded'}.`);
        for (const drawing of drawings.values()) drawing.reject(error);
        reject(error);
      };
      worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
        if (reply.kind === 'loading') onProgress(reply.loadedBytes, reply.totalBytes);
        else if (reply.kind === 'ready') resolve(reply.model);
        else if (reply.kind === 'refused') reject(new Error(reply.message));
        else settle(reply, drawings);
      };
      const asked = new URLSearchParams(location.search).get('device');
      ask({ kind: 'open', source, memory, device: devices.find((kind) => kind === asked) });
    });
    return {
      model: { ...model, name },
      draw: (request, show, signal) => draw(request, { show, signal, drawings, ask }),
      close() {
        worker.terminate();
        for (const drawing of drawings.values()) drawing.reject(new Error('The model was closed.')); // it answers no more
      },
    };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** What `?device=` may say. */
const devices: readonly DeviceKind[] = ['webgpu', 'gpu', 'cpu'];

let lastId = 0;

interface Asked {
  readonly show: Show;
  readonly signal: AbortSignal;
  readonly drawings: Map<number, Drawing>;
  readonly ask: (request: Request) => void;
}

async function draw(request: DrawRequest, { show, signal, drawings, ask }: Asked): Promise<void> {
  signal.throwIfAborted();
  lastId += 1;
  const id = lastId;
  const stop = () => ask({ kind: 'stop', id });
  signal.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      drawings.set(id, { show, resolve, reject });
      ask({ kind: 'draw', id, request });
    });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    drawings.delete(id);
  }
}

function settle(reply: Extract<Reply, { readonly id: number }>, drawings: ReadonlyMap<number, Drawing>): void {
  const drawing = drawings.get(reply.id);
  if (reply.kind === 'step') drawing?.show.step(reply.step);
  else if (reply.kind === 'finished') drawing?.show.finished(reply.finished);
  else if (reply.kind === 'done') drawing?.resolve();
  else drawing?.reject(reply.isDeviceLost ? new DeviceLost(reply.message) : new Error(reply.message));
}
