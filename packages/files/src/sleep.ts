// Waiting that ends.

/** Waits, or until other work is done. Nothing is left listening after either. @throws the signal's reason */
export function sleep(ms: number, signal?: AbortSignal, work?: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => end(() => reject(signal!.reason));
    const timer = setTimeout(() => end(resolve), ms);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    work?.then(
      () => end(() => undefined),
      () => end(() => undefined),
    );
  });
}
