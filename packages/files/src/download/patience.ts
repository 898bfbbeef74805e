// One answer from a server that may break, stall, be busy or ignore what was asked.
import { FileTooLargeError, StoreError, UnavailableError } from '../errors.js';
import { cancelBody } from '../http/body.js';
import { isReset } from '../http/reset.js';
import { retryAfterMs } from '../http/retry-after.js';
import { joinBytes } from '../join-bytes.js';
import { sleep } from '../sleep.js';
import type { ByteRange } from '../stores/store.js';

/** How long a server is waited for. */
export interface Patience {
  /** How often it is asked before giving up. Default 5. */
  readonly attempts?: number;
  /** The first wait between two attempts; each further one is twice as long. Default 500. */
  readonly retryMs?: number;
  /** The longest wait that a server's Retry-After is followed to. Default 60,000. */
  readonly maxRetryMs?: number;
  /** A connection without a byte for so long is given up. Default 30,000. */
  readonly stallMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Which version of a file a server has. */
export interface Version {
  /** Its entity tag or, without one, when it was changed. */
  readonly tag: string | null;
  readonly sizeBytes: number;
}

/** What a server said about a span of a file. */
export interface Answer extends Version {
  readonly status: number;
  /** Those of the span, if the status is 200 or 206. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What is asked for. */
export interface Wanted {
  readonly path: string;
  readonly range: ByteRange;
  /** Sends the request; the signal ends it. */
  readonly ask: (signal: AbortSignal) => Promise<Response>;
  /** What a response's version is. */
  readonly tagOf: (headers: Headers) => string | null;
  /** Throws if a version is not the one that is wanted. */
  readonly check?: (version: Version) => void;
  /** Called as bytes of the span arrive, with how many have arrived. */
  readonly onBytes?: (received: number) => void;
  /** Whether the server has answered before: one that never has, and resets no connection, is not there, and is not waited for. */
  readonly isReached: boolean;
  /** The largest file of unknown size that is taken. */
  readonly maxFileBytes: number;
  /** Gets all of a file, in pieces of this size and in their order, from a server that sends the whole for a span. */
  readonly whole?: { readonly pieceBytes: number; take(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> };
}

/** A failure that another attempt may not have. */
class Transient extends Error {
  /** What the server asks for, in milliseconds. */
  readonly waitMs: number | undefined;
  constructor(message: string, options: ErrorOptions & { waitMs?: number | undefined } = {}) {
    super(message, options);
    this.waitMs = options.waitMs;
  }
}

/**
 * Asks until there is an answer.
 * @throws UnavailableError after the last attempt, with its cause; the signal's reason
 */
export async function askPatiently(wanted: Wanted, patience: Patience): Promise<Answer> {
  const { attempts = 5, retryMs = 500, maxRetryMs = 60_000, signal } = patience;
  for (let attempt = 1; ; attempt++) {
    const ending = new AbortController(); // of this attempt: a server that says nothing keeps no connection
    try {
      const { stallMs = 30_000 } = patience;
      const response = await withinTime(wanted.ask(ending.signal), stallMs, signal);
      return await answerOf(response, wanted, patience);
    } catch (cause) {
      signal?.throwIfAborted();
      // Nobody answered: that has a cause, which an answer that was refused has not.
      const isNetwork = cause instanceof UnavailableError && cause.cause !== undefined;
      if (!(cause instanceof Transient) && !isNetwork) throw cause;
      if (attempt >= attempts || (isNetwork && !wanted.isReached && !isReset(cause))) {
        if (isNetwork) throw cause;
        const what = `"${wanted.path}" could not be read in ${attempts} attempts: ${cause.message}.`;
        throw new UnavailableError('store', what, { cause });
      }
      const asked = cause instanceof Transient ? cause.waitMs : undefined;
      await sleep(Math.min(asked ?? retryMs * 2 ** (attempt - 1), maxRetryMs), signal);
    } finally {
      ending.abort();
    }
  }
}

async function answerOf(response: Response, wanted: Wanted, patience: Patience): Promise<Answer> {
  const { status, headers } = response;
  const { path, range } = wanted;
  const tag = wanted.tagOf(headers);
  const contentRange = headers.get('content-range') ?? '';
  const total = Number(/\/(\d+)$/.exec(contentRange)?.[1] ?? Number.NaN);
  if (status === 200) return wholeAnswer(response, wanted, patience);
  if (status !== 206) {
    await cancelBody(response);
    if (status === 429 || status >= 500) {
      throw new Transient(`the server answered ${status}`, { waitMs: retryAfterMs(headers) });
    }
    return { status, tag, sizeBytes: status === 416 && total === 0 ? 0 : -1, bytes: new Uint8Array(0) };
  }
  const [start = Number.NaN, end = Number.NaN] = (/^bytes (\d+)-(\d+)/.exec(contentRange) ?? []).slice(1).map(Number);
  if (start !== range.offset || !Number.isSafeInteger(total)) {
    await cancelBody(response);
    throw new StoreError('store', `the server sent "${contentRange}" of "${path}" for bytes from ${range.offset}.`);
  }
  await checked(wanted, { tag, sizeBytes: total }, response);
  const bytes = new Uint8Array(Math.min(range.length, total - range.offset));
  let received = 0;
  for await (const chunk of chunksOf(response, patience)) {
    bytes.set(chunk.subarray(0, bytes.length - received), received);
    received += chunk.length;
    wanted.onBytes?.(Math.min(received, bytes.length));
    if (received >= bytes.length) break;
  }
  if (received < bytes.length) {
    throw new Transient(`the connection ended after ${received} of ${bytes.length} bytes`);
  }
  // Some servers send the whole file for its first byte, `bytes=0-0`, and say so (sirv, and so Vite): what is more is left.
  const said = Math.max(bytes.length, end - start + 1);
  if (received > said) throw new Transient(`the server sent more than the ${said} bytes that it said`);
  return { status, tag, sizeBytes: total, bytes };
}

/**
 * A server that knows no spans sends all of a file. Where somebody takes the pieces, they come from one download; else what is
 * before the span is passed over, and what is after it not read.
 */
async function wholeAnswer(response: Response, wanted: Wanted, patience: Patience): Promise<Answer> {
  const { status, headers } = response;
  const { range, whole } = wanted;
  const tag = wanted.tagOf(headers);
  const said = headers.get('content-encoding') ? null : headers.get('content-length');
  if (said === null) return unsizedAnswer(response, wanted, patience);
  const sizeBytes = Number(said);
  await checked(wanted, { tag, sizeBytes }, response);
  const last = whole ? sizeBytes : Math.min(sizeBytes, range.offset + range.length);
  const bytes = new Uint8Array(Math.max(0, Math.min(range.length, sizeBytes - range.offset)));
  let piece: Uint8Array<ArrayBuffer> | undefined;
  let received = 0;
  for await (const chunk of chunksOf(response, patience)) {
    if (received + chunk.length > sizeBytes)
      throw new Transient(`the server sent more than the ${sizeBytes} bytes that it said`);
    place(chunk, received, bytes, range.offset);
    for (let used = 0; whole && used < chunk.length; ) {
      const [index, at] = [Math.floor((received + used) / whole.pieceBytes), (received + used) % whole.pieceBytes];
      piece ??= new Uint8Array(Math.min(whole.pieceBytes, sizeBytes - index * whole.pieceBytes));
      const part = chunk.subarray(used, used + piece.length - at);
      piece.set(part, at);
      used += part.length;
      if (at + part.length < piece.length) continue;
      await whole.take(index, piece);
      piece = undefined;
    }
    received += chunk.length;
    wanted.onBytes?.(Math.max(0, Math.min(received - range.offset, bytes.length)));
    if (received >= last) break;
  }
  if (received < last) throw new Transient(`the connection ended after ${received} of ${sizeBytes} bytes`);
  return { status, tag, sizeBytes, bytes };
}

/** A whole file whose size the server does not say: it is taken under a limit, to know it. */
async function unsizedAnswer(response: Response, wanted: Wanted, patience: Patience): Promise<Answer> {
  const { path, range, whole, maxFileBytes } = wanted;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunksOf(response, patience)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxFileBytes) {
      const what = `the server sends more of "${path}" than the ${maxFileBytes} bytes that are taken, and not its size`;
      throw new FileTooLargeError(`${what}. A larger maxFileBytes allows it.`);
    }
    chunks.push(chunk);
  }
  const all = joinBytes(chunks);
  const tag = wanted.tagOf(response.headers);
  wanted.check?.({ tag, sizeBytes });
  for (let index = 0; whole && index * whole.pieceBytes < sizeBytes; index++) {
    await whole.take(index, all.slice(index * whole.pieceBytes, (index + 1) * whole.pieceBytes));
  }
  return { status: 200, tag, sizeBytes, bytes: all.slice(range.offset, range.offset + range.length) };
}

/** Leaves the download if its version is not the one that is wanted. */
async function checked({ path, check }: Wanted, version: Version, response: Response): Promise<void> {
  try {
    if (!Number.isSafeInteger(version.sizeBytes) || version.sizeBytes < 0) {
      throw new StoreError('store', `the server says no size of "${path}" that can be read. Download it otherwise.`);
    }
    check?.(version);
  } catch (error) {
    await cancelBody(response);
    throw error;
  }
}

/** Copies what a chunk at this place of the file has of a span. */
function place(chunk: Uint8Array, at: number, span: Uint8Array, offset: number): void {
  const from = Math.max(0, offset - at);
  const part = chunk.subarray(from, Math.max(from, offset + span.length - at));
  if (part.length > 0) span.set(part, at + from - offset);
}

/** A body as it arrives. @throws Transient if it breaks or stalls; the signal's reason */
async function* chunksOf(response: Response, { stallMs = 30_000, signal }: Patience): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    while (reader) {
      const { done, value } = await withinTime(reader.read(), stallMs, signal).catch((cause) => {
        if (cause instanceof Transient) throw cause;
        signal?.throwIfAborted();
        throw new Transient('the connection broke', { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

/** @throws Transient after so long; the signal's reason */
async function withinTime<T>(work: Promise<T>, ms: number, signal?: AbortSignal): Promise<T> {
  return Promise.race([work, sleep(ms, signal, work).then(() => late(ms))]);
}

function late(ms: number): never {
  throw new Transient(`the server sent nothing for ${ms / 1000} s`);
}
