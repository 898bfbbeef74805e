// A worker by itself, with a memory that shows its growth as late as engines may.
import { expect, it } from 'vitest';
import { head, layout } from './layout.js';
import { type ToWorker, workerMain } from './worker.js';

/** Words of the control block and a memory of which the worker sees the growth after `late` more questions. */
function grown(late: number) {
  const control = new Int32Array(new SharedArrayBuffer(layout.words * 4));
  const [before, after] = [new SharedArrayBuffer(65536), new SharedArrayBuffer(2 * 65536)];
  let asked = -1; // the growth begins when the worker has started
  const memory = {
    grow: () => 0,
    get buffer() {
      if (asked >= 0) asked++;
      return asked > late ? after : before;
    },
  };
  return { control, after, memory: memory as unknown as WebAssembly.Memory, begin: () => (asked = 0) };
}

it.each([0, 1, 2, 3, 10])('copies to memory whose growth it sees late, %i questions after it happened', (late) => {
  const { control, after, memory, begin } = grown(late);
  const bytes = new Uint8Array(after);
  const [batch, from, to, size] = [256, 1024, 70_000, 5000];
  bytes.fill(7, from, from + size);
  const command = [head(layout.copy, 4), to, from, size];
  new Uint32Array(after).set([command.length, 0, 0, 0, ...command], batch / 4);

  let receive: (message: ToWorker) => void = () => undefined;
  const sent: unknown[] = [];
  workerMain(
    {
      listen: (listener) => {
        receive = listener;
      },
      post: (message) => {
        sent.push(message);
        Atomics.add(control, layout.mail, 1); // so that it stops leading
      },
    },
    layout,
  );
  control[layout.mail] = 1; // it does not lead yet
  const start = { kind: 'start', index: 0, threads: 1, shared: { memory, control: control.buffer } } as const;
  receive(start as unknown as ToWorker);
  begin();
  control[layout.pages] = 2;
  control[layout.ring] = batch;
  control[layout.posted] = 1;
  control[layout.ask] = 1;
  receive({ kind: 'poke', address: 0, bytes: new Uint8Array(0) }); // its mail: now it leads
  expect(sent).toEqual([{ kind: 'done', sequence: 1 }]);
  expect(bytes.slice(to - 1, to + size + 1)).toEqual(new Uint8Array([0, ...new Array(size).fill(7), 0]));
});
