import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../stores/memory.js';
import type { FileStore } from '../stores/store.js';
import type { HostTensor } from './dtypes.js';
import {
  parseSafetensors,
  parseSafetensorsHeader,
  readHeader,
  readSafetensors,
  readTensor,
  streamSafetensors,
} from './read.js';
import { writeSafetensors } from './write.js';

const f32 = (data: number[], shape = [data.length]): HostTensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'f32',
});

/** Made by the format's own library: tools/fixtures/safetensors_file.py */
const reference = () =>
  readFile(new URL('../../fixtures/safetensors/reference.safetensors', import.meta.url)).then((b) => new Uint8Array(b));
const expected: Record<string, HostTensor> = {
  'layers.2.weight': f32([1.5, -2.25, 3e-3, 4e8, -0, 7], [2, 3]),
  'layers.10.bias': { data: Float32Array.of(0.3330078125, 65504, -(2 ** -24)), shape: [3], dtype: 'f16' },
  brain: { data: Float32Array.of(1, -3.140625), shape: [2], dtype: 'bf16' },
  signed: { data: Int32Array.of(-1, 2147483647), shape: [2], dtype: 'i32' },
  words: { data: Uint32Array.of(4294967295), shape: [1], dtype: 'u32' },
  bytes: { data: Uint8Array.of(0, 127, 255), shape: [3], dtype: 'u8' },
  flags: { data: Uint32Array.of(1, 0, 1), shape: [3], dtype: 'bool' },
  ids: { data: Int32Array.of(-5, 2147483647), shape: [1, 2], dtype: 'i32' },
  scalar: f32([0.5], []),
  empty: f32([], [0, 3]),
};

describe('reading', () => {
  it('reads what the reference library wrote, from memory and from a store', async () => {
    const bytes = await reference();
    expect(parseSafetensors(bytes)).toEqual(expected);
    expect(parseSafetensors(Buffer.from(bytes))).toEqual(expected); // a Buffer of Node shares its memory with others
    const store = memoryStore({ 'a/model.safetensors': bytes });
    expect(await readSafetensors(store, 'a/model.safetensors')).toEqual(expected);
    const header = await readHeader(store, 'a/model.safetensors');
    expect(header.metadata).toEqual({ format: 'np', note: 'ä' });
    expect(header).toEqual(parseSafetensorsHeader(bytes));
    expect(header.entries.find((entry) => entry.name === 'ids')).toMatchObject({ dtype: 'I64', shape: [1, 2] });
  });

  it('reads bytes that begin anywhere in their buffer', async () => {
    const bytes = await reference();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(parseSafetensors(shifted.subarray(3))).toEqual(expected);
  });

  it('says when an I64 does not fit', () => {
    const bytes = handMade('{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', 8);
    bytes.fill(0x7f, -8);
    expect(() => parseSafetensors(bytes, 'm')).toThrow(
      '[safetensors] m: tensor "ids" has I64 values that do not fit i32. Convert it.',
    );
  });

  it('asks for few large spans in file order, each when its first tensor is wanted', async () => {
    const size = 3 * 2 ** 20; // 12 MiB each
    const names = ['a', 'b', 'c', 'd', 'e'];
    const tensors = Object.fromEntries(names.map((name, i) => [name, f32(Array(size).fill(i))]));
    const { store, spans } = recorder(memoryStore({ f: writeSafetensors(tensors) }));
    const seen: unknown[] = [];
    for await (const [name, { data }] of streamSafetensors(store, 'f')) {
      const sizes = spans.slice(2).map((span) => span.length / 2 ** 20); // after two for the header
      seen.push([name, data[size - 1], sizes.join()]);
    }
    expect(seen).toEqual([
      ['a', 0, '24'],
      ['b', 1, '24'],
      ['c', 2, '24,24'],
      ['d', 3, '24,24'],
      ['e', 4, '24,24,12'],
    ]);
  });

  it('reads a tensor larger than a span at once, and one by itself without the rest', async () => {
    const data = new Uint32Array(9 * 2 ** 20).map((_, i) => i);
    const bytes = writeSafetensors({ big: { data, shape: [9, 2 ** 20], dtype: 'u32' }, small: f32([1, 2]) });
    const { store, spans } = recorder(memoryStore({ f: bytes }));
    const { big } = await readSafetensors(store, 'f');
    expect(spans.slice(2).map((span) => span.length)).toEqual([36 * 2 ** 20, 8]);
    expect(Buffer.compare(Buffer.from(big!.data.buffer), Buffer.from(data.buffer))).toBe(0);
    const { entries } = await readHeader(store, 'f');
    spans.length = 0;
    const small = entries.find((entry) => entry.name === 'small')!;
    expect(await readTensor(store, 'f', small)).toEqual(f32([1, 2]));
    expect(spans).toEqual([{ offset: small.offset, length: 8 }]);
  });
});

describe('writing', () => {
  it('gives back what it was given', () => {
    expect(parseSafetensors(writeSafetensors(expected))).toEqual(expected);
    expect(parseSafetensors(writeSafetensors({}))).toEqual({});
  });

  it('is deterministic: neither the order of insertion nor the time changes a byte', () => {
    const reversed = Object.fromEntries(Object.entries(expected).reverse());
    expect(writeSafetensors(reversed, { b: '2', a: '1' })).toEqual(writeSafetensors(expected, { a: '1', b: '2' }));
  });

  it('orders names as trees do, also those that are whole numbers, and begins the data at a multiple of 8', () => {
    const names = ['layers.10.w', '10', 'layers.2.w', 'a', '2'];
    const bytes = writeSafetensors(Object.fromEntries(names.map((name) => [name, f32([1])])));
    const { entries } = parseSafetensorsHeader(bytes);
    expect(entries.map((entry) => entry.name)).toEqual(['2', '10', 'a', 'layers.2.w', 'layers.10.w']);
    expect(entries[0]!.offset % 8).toBe(0);
    const text = new TextDecoder().decode(bytes.subarray(8, entries[0]!.offset));
    expect(text.indexOf('"a"')).toBeGreaterThan(text.indexOf('"10"'));
    expect(text.indexOf('"10"')).toBeGreaterThan(text.indexOf('"2"'));
  });

  it('keeps names that JavaScript is fond of', () => {
    const odd = Object.fromEntries(['__proto__', 'constructor', 'ä "\n'].map((name) => [name, f32([1])]));
    expect(Object.keys(parseSafetensors(writeSafetensors(odd))).sort()).toEqual(Object.keys(odd).sort());
  });

  it('refuses what does not fit', () => {
    expect(() => writeSafetensors({ w: f32([1, 2], [3]) })).toThrow(
      '[safetensors] tensor "w" has the shape [3], which is 3 elements, but its data has 2.',
    );
    expect(() => writeSafetensors({ w: f32([1, 2], [-1, -2]) })).toThrow('has the shape [-1, -2]');
    expect(() => writeSafetensors({ __metadata__: f32([1]) })).toThrow('[safetensors] a tensor cannot be named __meta');
  });

  it('refuses elements of another type than the dtype says', () => {
    const arrays = [[1], Float32Array.of(1), Float64Array.of(1), Int32Array.of(1), Uint32Array.of(1), Uint8Array.of(1)];
    const fits = { f32: 1, f16: 1, bf16: 1, i32: 3, u32: 4, u8: 5, bool: 4 };
    for (const [dtype, right] of Object.entries(fits)) {
      for (const [i, data] of [...arrays, new Int16Array(1), new BigInt64Array(1)].entries()) {
        const write = () => writeSafetensors({ w: { data, shape: [1], dtype } as unknown as HostTensor });
        if (i === right) expect(parseSafetensors(write())).toEqual({ w: { data, shape: [1], dtype } });
        else
          expect(write, `${dtype} ${data.constructor.name}`).toThrow(`"w" has the dtype ${dtype}, and its data is of`);
      }
    }
    expect(() => writeSafetensors({ w: { data: Float32Array.of(1.5), shape: [1], dtype: 'i32' } })).toThrow(
      '[safetensors] tensor "w" has the dtype i32, and its data is of type Float32Array. Convert the data to Int32Array, or name another dtype.',
    );
    expect(parseSafetensors(writeSafetensors({ w: { data: Buffer.of(1, 2), shape: [2], dtype: 'u8' } }))).toEqual({
      w: { data: Uint8Array.of(1, 2), shape: [2], dtype: 'u8' },
    });
  });
});

/** A file with this header and so many bytes of data. */
function handMade(json: string, dataBytes: number): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

function recorder(inner: FileStore): { store: FileStore; spans: { offset: number; length: number }[] } {
  const spans: { offset: number; length: number }[] = [];
  const read: FileStore['read'] = (path, range) => {
    if (range) spans.push(range);
    return inner.read(path, range);
  };
  return { store: { ...inner, read }, spans };
}
