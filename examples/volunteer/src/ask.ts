// The page's side of the conversation with its worker.
import type { Answers, Asked, Happening, Request, Told } from './messages.js';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
let last = 0;

/** Asks the worker. @throws Error with one sentence if it cannot */
export function ask<Kind extends Request['kind']>(request: Extract<Request, { kind: Kind }>): Promise<Answers[Kind]> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, request } satisfies Asked);
  });
}

/** Calls `show` with what happens while the worker works. */
export function onHappening(show: (happening: Happening) => void): void {
  worker.onmessage = ({ data: told }: MessageEvent<Told>) => {
    if ('happening' in told) return show(told.happening);
    const asked = waiting.get(told.id);
    waiting.delete(told.id);
    if ('error' in told) asked?.reject(new Error(told.error));
    else asked?.resolve(told.answer as never);
  };
  worker.onerror = ({ message }) => {
    const error = new Error(`The page's worker did not start: ${message || 'reload the page'}.`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
}
