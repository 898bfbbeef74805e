import { expect, it } from 'vitest';
import { eventsOf } from './events.js';

async function read(...pieces: Uint8Array<ArrayBuffer>[]): Promise<unknown[]> {
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const events: unknown[] = [];
  for await (const event of eventsOf(stream)) events.push(event);
  return events;
}

const text = ': a comment\n\nevent: a\ndata: {"x":"é"}\n\nevent: b\r\ndata: [1,\r\ndata: 2]\r\n\r\n';

it('gives each event’s data, however the bytes arrive', async () => {
  const bytes = new TextEncoder().encode(text);
  const wanted = [{ x: 'é' }, [1, 2]];
  expect(await read(bytes)).toEqual(wanted);
  expect(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(wanted);
  for (let cut = 1; cut < bytes.length; cut++) {
    expect(await read(bytes.slice(0, cut), bytes.slice(cut))).toEqual(wanted);
  }
});

it('leaves out an event that was cut off', async () => {
  expect(await read(new TextEncoder().encode('data: 1\n\ndata: 2'))).toEqual([1]);
});

it('ends the stream when the loop is left', async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const _ of eventsOf(stream)) break;
  await expect.poll(() => cancelled).toBe(true);
});
