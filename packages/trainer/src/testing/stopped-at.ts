// For tests of Ctrl-C: the signal comes at the n-th touch of a file or note of progress.
import type { FileStore } from '@paris/files';

/** What is stopped: it touches files through `watched`, and calls `tick` where it tells how far it is. */
export type Act = (
  store: FileStore,
  how: { signal: AbortSignal; watched: Watch; tick: () => void },
) => Promise<unknown>;
export type Watch = <T extends object>(of: T) => T;

/** Acts and is stopped at moment `n`. */
export async function stoppedAt(
  n: number,
  store: FileStore,
  act: Act,
): Promise<{ error: Error | undefined; moments: number }> {
  const stop = new AbortController();
  let moments = 0;
  const tick = () => {
    if (++moments === n) stop.abort();
  };
  const watched: Watch = (of) =>
    new Proxy(of, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          tick();
          return value.apply(target, args);
        };
      },
    });
  const error = await act(watched(store), { signal: stop.signal, watched, tick }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { error, moments };
}
