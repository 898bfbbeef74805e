// A file of any store as a stream of spans, and what a file that is damaged is called.
import { type FileSource, StoreError } from '@paris/files';
import { spans } from '../../data/spans.js';
import { DataError } from '../../errors.js';

/** The bytes of a file as a stream; a span of it is read when it is asked for. */
export async function byteStream(store: FileSource, path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const pieces = spans(store, path, await store.size(path));
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

/** What to throw where reading a file of a kind failed: for what the file holds a DataError, else what was thrown. */
export function notWhole(path: string, kind: string, cause: unknown): unknown {
  if (cause instanceof StoreError || cause instanceof DataError) return cause;
  const why = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
  return new DataError('prepare', `${path} is not a whole ${kind} file: ${why}. Download or write it again.`, {
    cause,
  });
}
