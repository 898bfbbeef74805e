// A response's body under a cap: what is over it is never kept, however small it was on the way (gzip) or endless.
import { FileTooLargeError, UnavailableError } from '../errors.js';
import { joinBytes } from '../join-bytes.js';

/** What a body may be, and what its messages call it. */
export interface BodyLimits {
  /** The file, in messages. */
  readonly path: string;
  /** More bytes than these, after decompression, are an error. */
  readonly maxBytes: number;
  /** What to do about a larger one: a sentence. */
  readonly fix?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a response as they arrive. Ends the download when the reader stops early.
 * @throws FileTooLargeError as soon as there are more than `maxBytes`; UnavailableError if the connection breaks; the signal's reason
 */
async function* streamBody(response: Response, limits: BodyLimits): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { path, maxBytes, signal } = limits;
  const reader = response.body?.getReader();
  if (!reader) return;
  let received = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        signal?.throwIfAborted();
        throw new UnavailableError('store', `the connection broke while "${path}" was read. Try again.`, { cause });
      });
      if (done) return;
      received += value.length;
      if (received > maxBytes) throw tooLarge(limits);
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // nothing to do for one that was read to its end
  }
}

/** The bytes of a response, whole. @throws as `streamBody` */
export async function readBody(response: Response, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of streamBody(response, limits)) parts.push(part);
  return joinBytes(parts);
}

/** Ends a download whose body nobody wants. */
export async function cancelBody(response: Response): Promise<void> {
  if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
}

function tooLarge({ path, maxBytes, fix = '' }: BodyLimits): FileTooLargeError {
  const what = `the server sends more of "${path}" than the ${maxBytes} bytes that are taken`;
  return new FileTooLargeError(`${what}. ${fix}`.trimEnd());
}
