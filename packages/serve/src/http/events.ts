// An answer as a stream of server-sent events.
import { encodeMadePng } from '@paris/sampler/metadata';
import type { Drawn, JobRequest } from '../queue/job.js';
import type { Asked, Served } from './images.js';
import { base64, itemOf, seconds } from './items.js';

/** What a stream needs of a request that is under way. */
export interface Streaming {
  readonly size: string;
  readonly seed: number;
  readonly draw: (heard?: Pick<JobRequest, 'onPreview' | 'onDrawn'>) => Promise<readonly Drawn[]>;
  /** Ends the work. */
  readonly left: () => void;
  readonly failed: Served['failed'];
  readonly onStream: Served['onStream'];
}

/** Events: `….partial_image` as pictures appear, `….completed` for each that is done. */
export function streamed({ kind, fields }: Asked, { size, seed, draw, left, failed, onStream }: Streaming): Response {
  const encoder = new TextEncoder();
  const common = { size, seed, quality: 'auto', background: 'opaque', output_format: 'png' };
  let isOpen = true;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    start(controller) {
      const send = (type: string, data: object) => {
        if (!isOpen) return;
        const line = JSON.stringify({ type, ...data });
        controller.enqueue(encoder.encode(`event: ${type}\ndata: ${line}\n\n`));
      };
      const drawing = draw({
        onPreview: ({ image, index, picture, step, steps, weights }) => {
          if (controller.desiredSize! <= 0) return; // a client that reads too slowly misses previews
          send(`${kind}.partial_image`, {
            b64_json: base64(encodeMadePng(image)),
            partial_image_index: index,
            ...{ created_at: seconds(), ...common, picture, step, steps, routing: weights },
          });
        },
        onDrawn: (drawn) =>
          send(`${kind}.completed`, { ...itemOf(drawn, fields), created_at: seconds(), ...common, usage }),
      });
      const ended = drawing
        .catch((error) => send('error', failed(error).body()))
        .finally(() => {
          if (isOpen) controller.close();
        });
      onStream(ended);
    },
    cancel() {
      isOpen = false;
      left();
    },
  };
  const body = new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: unreadBytes }));
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  };
  return new Response(body, { headers });
}

/** What may wait for a client of a stream before it misses previews. */
const unreadBytes = 2 ** 20;

/** Nothing is counted in tokens here; clients expect the field. */
const usage = {
  input_tokens: 0,
  output_tokens: 0,
  total_tokens: 0,
  input_tokens_details: { text_tokens: 0, image_tokens: 0 },
};
