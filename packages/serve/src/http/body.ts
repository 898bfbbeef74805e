import { ApiError, clientLeft } from './errors.js';
import { mostMs } from './most-ms.js';

/** A request's body, no larger and no slower than it may be. @throws ApiError 413, 408, or 499 if it ends in the middle */
export async function readBody(
  request: Request,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () => new ApiError(413, `The body has more than ${maxBytes} bytes.`, { code: 'body_too_large' });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `The body did not arrive within ${timeoutMs / 1000} seconds.`;
    timer = setTimeout(() => reject(new ApiError(408, message, { code: 'body_timeout' })), Math.min(timeoutMs, mostMs));
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read().catch(gone), late]);
      if (done) break;
      size += value.length;
      if (size > maxBytes) throw tooLarge();
      parts.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** Servers say it in words of their own when a connection ends. */
function gone(): never {
  throw clientLeft();
}
