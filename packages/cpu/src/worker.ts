// A worker from a file, for pages whose content security policy forbids workers made from text:
// `createGpu({ worker: () => new Worker(new URL('./my-worker.js', import.meta.url), { type: 'module' }) })`, where my-worker.js
// imports this module.
import { layout } from './run/layout.js';
import { type FromWorker, type ToWorker, workerMain } from './run/worker.js';

const scope = globalThis as unknown as {
  postMessage(message: FromWorker, options: StructuredSerializeOptions): void;
  onmessage: (event: MessageEvent<ToWorker>) => void;
};

workerMain(
  {
    post: (message, transfer = []) => scope.postMessage(message, { transfer }),
    listen: (receive) => {
      scope.onmessage = (event) => receive(event.data);
    },
  },
  layout,
);
