// What a worker does. The leader (worker 0) takes batches of commands from a ring in shared memory, one after the other,
// without a message for each; it calls the followers to a dispatch that is worth it, and never waits for one that is not
// in it. Without shared memory one worker does everything by message.
//
// The text of this function is the workers' source (see startThread in host.ts). So it must not use anything from outside,
// nor syntax for which a bundler brings a helper: classes, async functions, spread. Its parts are methods of an object
// because esbuild's keepNames wraps every function that has a name of its own.
import type { Layout } from './layout.js';

/** The two ends of a worker's channel. */
export interface Port {
  post(message: FromWorker, transfer?: Transferable[]): void;
  listen(receive: (message: ToWorker) => void): void;
}

/** To a worker. Only those with `shared` get `kernel` and nothing else after `start`. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly index: number;
      readonly threads: number;
      readonly shared?: { readonly memory: WebAssembly.Memory; readonly control: SharedArrayBuffer };
    }
  | { readonly kind: 'kernel'; readonly id: number; readonly wasm: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'grow'; readonly pages: number }
  | { readonly kind: 'poke'; readonly address: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'peek'; readonly address: number; readonly size: number; readonly id: number }
  | { readonly kind: 'batch'; readonly address: number; readonly words: Uint32Array<ArrayBuffer> };

export type FromWorker =
  | { readonly kind: 'done'; readonly sequence: number }
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'failed'; readonly message: string };

type Run = (block: number, scratch: number, first: number, count: number) => void;

// long function: parts outside of it would have to be passed as texts of their own, and what they share as fields of an
// object, whose names no minifier shortens: a larger source for every page that computes on the CPU.
export function workerMain(port: Port, words: Layout): void {
  const { load, store, add, sub, notify } = Atomics;
  const sources: (Uint8Array<ArrayBuffer> | undefined)[] = [];
  const kernels: (Run | undefined)[] = [];
  /** Milliseconds that a workgroup of each kernel took when last measured. */
  const costs: (number | undefined)[] = [];
  let control = new Int32Array(words.words);
  let memory: WebAssembly.Memory;
  let bytes: Uint8Array;
  let data: Uint32Array;
  let index = 0;
  let threads = 1;
  let received = 0;
  let shared = false;
  let scratch = 0;
  let stride = 0;

  const own = {
    /**
     * Views of the whole memory. Its growth in another thread may be seen late, at any point of this one: so both views are of
     * one buffer, and it is asked for until it reaches as far as the growth that the page has announced.
     */
    refresh(): void {
      const least = load(control, words.pages) * 65536;
      let buffer: ArrayBufferLike;
      do {
        memory.grow(0); // brings it up to date, as a rule
        buffer = memory.buffer;
      } while (buffer.byteLength < least);
      bytes = new Uint8Array(buffer);
      data = new Uint32Array(buffer);
    },

    kernel(id: number): Run | undefined {
      const wasm = sources[id];
      if (!kernels[id] && wasm) {
        sources[id] = undefined;
        const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { memory } });
        kernels[id] = instance.exports.run as unknown as Run;
      }
      return kernels[id];
    },

    /** Returns once the word is no longer `seen`, or after any wake-up. */
    wait(word: number, seen: number): void {
      const until = performance.now() + words.spin;
      for (let turn = 1; load(control, word) === seen; turn++) {
        if (turn % 64 === 0 && performance.now() > until) {
          Atomics.wait(control, word, seen);
          return;
        }
      }
    },

    /** Carries out chunks of the open dispatch until none is left. Returns how many workgroups that were. */
    pull(run: Run): number {
      const block = control[words.block]!;
      const count = control[words.count]! >>> 0;
      const chunk = control[words.chunk]!;
      const mine = (control[words.scratch]! >>> 0) + index * control[words.stride]!;
      let pulled = 0;
      for (;;) {
        const first = add(control, words.next, chunk) >>> 0;
        if (first >= count) return pulled;
        const size = Math.min(chunk, count - first);
        run(block, mine, first, size);
        pulled += size;
      }
    },

    /** Opens the workgroups from `first` on to all workers. Returns how many of them this one carried out. */
    together(run: Run, id: number, block: number, first: number, count: number): number {
      const cost = costs[id];
      const least = cost ? Math.ceil(0.005 / cost) : 1;
      const fair = Math.ceil((count - first) / (threads * 16));
      control[words.kernel] = id;
      control[words.block] = block;
      control[words.count] = count;
      control[words.chunk] = Math.min(Math.max(fair, least), Math.ceil((count - first) / threads), 1 << 20);
      control[words.scratch] = scratch;
      control[words.stride] = stride;
      store(control, words.next, first);
      Atomics.or(control, words.state, words.open);
      add(control, words.follow, 1);
      notify(control, words.follow);
      const pulled = own.pull(run);
      Atomics.and(control, words.state, ~words.open);
      for (let state = load(control, words.state); state !== 0; state = load(control, words.state)) {
        own.wait(words.state, state);
      }
      return pulled;
    },

    dispatch(id: number, block: number, count: number): void {
      const run = own.kernel(id)!;
      if (count === 1 || threads === 1) {
        run(block, scratch, 0, count);
        return;
      }
      const start = performance.now();
      const cost = costs[id];
      let first = 0;
      if (cost !== undefined && cost * count < words.alone) {
        // Alone, in pieces, so that a wrong guess is noticed early.
        const piece = Math.max(1, Math.ceil(count / 4));
        while (first < count && performance.now() - start < 2 * words.alone) {
          const size = Math.min(piece, count - first);
          run(block, scratch, first, size);
          first += size;
        }
      }
      const pulled = first < count ? first + own.together(run, id, block, first, count) : first;
      if (pulled > 0) costs[id] = (performance.now() - start) / pulled;
    },

    indirect(at: number): void {
      const from = data[at + 2]! >>> 2;
      const most = data[at + 3]!;
      const x = data[from]!;
      const y = data[from + 1]!;
      const z = data[from + 2]!;
      if (x > most || y > most || z > most || x * y * z === 0) return;
      if (x * y * z >= 2 ** 31) throw new Error('more than 2^31 workgroups in one dispatch');
      data[at + 4] = x;
      data[at + 5] = y;
      data[at + 6] = z;
      own.dispatch(data[at + 1]!, (at + 4) * 4, x * y * z);
    },

    stamp(address: number): void {
      const time = Math.round(performance.now() * 1e6);
      data[address >>> 2] = time % 2 ** 32;
      data[(address >>> 2) + 1] = Math.floor(time / 2 ** 32);
    },

    command(at: number): void {
      const a = data[at + 1]!;
      const b = data[at + 2]!;
      switch (data[at]! & 15) {
        case words.dispatch:
          own.dispatch(a, (at + 3) * 4, b);
          return;
        case words.indirect:
          own.indirect(at);
          return;
        case words.copy:
          bytes.copyWithin(a, b, b + data[at + 3]!);
          return;
        case words.clear:
          bytes.fill(0, a, a + b);
          return;
        case words.stamp:
          own.stamp(a);
          return;
      }
    },

    batch(address: number): void {
      const start = address >>> 2;
      const end = start + words.batchHeader + data[start]!;
      scratch = data[start + 1]!;
      stride = data[start + 2]!;
      for (let at = start + words.batchHeader; at < end; at += data[at]! >>> 4) own.command(at);
    },

    lead(): void {
      for (;;) {
        const seen = load(control, words.lead);
        let done = load(control, words.done);
        while (done !== load(control, words.posted)) {
          if (load(control, words.mail) !== received) return;
          if (data.length < load(control, words.pages) * 16384) own.refresh();
          own.batch(control[words.ring + ((done >>> 0) % words.ringSize)]! >>> 0);
          done = (done + 1) | 0;
          store(control, words.done, done);
          const ask = load(control, words.ask);
          if (ask !== 0 && ((done - ask) | 0) >= 0) {
            Atomics.compareExchange(control, words.ask, ask, 0);
            port.post({ kind: 'done', sequence: done });
          }
        }
        if (load(control, words.mail) !== received) return;
        own.wait(words.lead, seen);
      }
    },

    follow(): void {
      for (;;) {
        const seen = load(control, words.follow);
        if (load(control, words.mail) !== received) return;
        // The dispatch stays as it is while someone is in it.
        const entered = add(control, words.state, 1);
        try {
          const run = entered & words.open ? own.kernel(control[words.kernel]!) : undefined;
          if (run) own.pull(run);
        } finally {
          if (sub(control, words.state, 1) === 1) notify(control, words.state);
        }
        own.wait(words.follow, seen);
      }
    },

    receive(message: ToWorker): void {
      switch (message.kind) {
        case 'start':
          index = message.index;
          threads = message.threads;
          memory = message.shared ? message.shared.memory : new WebAssembly.Memory({ initial: 1, maximum: 65536 });
          if (message.shared) {
            shared = true;
            control = new Int32Array(message.shared.control) as unknown as Int32Array<ArrayBuffer>;
          }
          own.refresh();
          return;
        case 'kernel':
          sources[message.id] = message.wasm;
          if (index === 0) own.kernel(message.id);
          return;
        case 'grow':
          memory.grow(message.pages);
          own.refresh();
          return;
        case 'poke':
          bytes.set(message.bytes, message.address);
          return;
        case 'peek': {
          const copy = bytes.slice(message.address, message.address + message.size).buffer as ArrayBuffer;
          port.post({ kind: 'bytes', id: message.id, bytes: copy }, [copy]);
          return;
        }
        case 'batch':
          data.set(message.words, message.address >>> 2);
          own.batch(message.address);
          control[words.done] = control[words.done]! + 1;
          port.post({ kind: 'done', sequence: control[words.done]! });
      }
    },
  };

  port.listen((message) => {
    try {
      own.receive(message);
      if (message.kind !== 'start') received++;
      if (shared && received === load(control, words.mail)) {
        if (index === 0) own.lead();
        else own.follow();
      }
    } catch (error) {
      port.post({ kind: 'failed', message: String(error) });
    }
  });
}
