// Models of full size whose files are drawn as they are read, so that nobody has to keep their gigabytes: weights in f16, as
// tools/fixtures/full_models.py draws them.
import { type FileSource, memoryStore, toHalf } from '@paris/files';
import type { ParameterShapes } from '@paris/tensor/nn';
import { drawnExponent, drawnHalves } from '@paris/tensor/testing';

/** A safetensors file that is drawn. */
export interface DrawnFile {
  readonly shapes: ParameterShapes;
  /** Before the names of its tensors, where their numbers are drawn: experts differ by it. */
  readonly prefix?: string;
  /** Tensors that are not drawn. */
  readonly given?: Readonly<Record<string, readonly number[]>>;
}

/** Files of a model: bytes and drawn ones. */
export function drawnModel(files: Readonly<Record<string, Uint8Array | DrawnFile>>): FileSource {
  const plain: Record<string, Uint8Array> = {};
  const drawn = new Map<string, Layout>();
  for (const [path, file] of Object.entries(files)) {
    if (file instanceof Uint8Array) plain[path] = file;
    else drawn.set(path, layoutOf(file));
  }
  const store = memoryStore(plain);
  return {
    exists: async (path) => drawn.has(path) || store.exists(path),
    size: async (path) => drawn.get(path)?.sizeBytes ?? store.size(path),
    read: async (path, range, options) => {
      const layout = drawn.get(path);
      return layout
        ? layout.read(range?.offset ?? 0, range?.length ?? layout.sizeBytes)
        : store.read(path, range, options);
    },
  };
}

interface Layout {
  readonly sizeBytes: number;
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

function layoutOf({ shapes, prefix = '', given = {} }: DrawnFile): Layout {
  const header: Record<string, unknown> = {};
  const tensors: { name: string; shape: readonly number[]; from: number; to: number }[] = [];
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const from = end;
    end += 2 * shape.reduce((size, n) => size * n, 1);
    header[name] = { dtype: 'F16', shape, data_offsets: [from, end] };
    tensors.push({ name, shape, from, to: end });
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + json.length;
  const head = new Uint8Array(start);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  let last: { name: string; bytes: Uint8Array } | undefined; // ranges end in the middle of tensors
  const bytesOf = (name: string, shape: readonly number[]) => {
    if (last?.name !== name) {
      const values = given[name];
      // The exponent goes by the name alone: that of positions is a special one.
      const exponent = drawnExponent(name, shape);
      const halves = values ? Uint16Array.from(values, toHalf) : drawnHalves(`${prefix}${name}`, shape, exponent);
      last = { name, bytes: new Uint8Array(halves.buffer) };
    }
    return last.bytes;
  };
  return {
    sizeBytes: start + end,
    read(offset, length) {
      const out = new Uint8Array(length);
      out.set(head.subarray(Math.min(offset, start), offset + length));
      for (const { name, shape, from, to } of tensors) {
        const [low, high] = [Math.max(offset, start + from), Math.min(offset + length, start + to)];
        if (low < high) out.set(bytesOf(name, shape).subarray(low - start - from, high - start - from), low - offset);
      }
      return out;
    },
  };
}
