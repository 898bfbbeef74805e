// Files that are damaged, or made to do harm: each is refused in a sentence, before anything is allocated for it.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../index.js';
import { writeSafetensors } from '../safetensors/index.js';
import { openCheckpoint } from './index.js';
import { mutantCount, readMutants } from './mutants.testing.js';
import { PickleError, readPickle } from './pickle.js';

const fixture = async (name: string) =>
  Uint8Array.from(await readFile(new URL(`../../fixtures/checkpoint/${name}`, import.meta.url)));

const readAll = async (source: Parameters<typeof openCheckpoint>[0]) => {
  for await (const _ of (await openCheckpoint(source, 'f')).stream());
};

describe('mutants', () => {
  const row = (n: number) => ({ data: new Float32Array(n).fill(n), shape: [n], dtype: 'f32' }) as const;
  const files: [string, () => Promise<Uint8Array> | Uint8Array][] = [
    ['dtypes-2.pt', () => fixture('dtypes-2.pt')],
    ['dtypes-4.pt', () => fixture('dtypes-4.pt')],
    ['training.pt', () => fixture('training.pt')],
    ['safetensors', () => writeSafetensors({ a: row(3), b: row(5), c: row(0) })],
  ];
  it.each(files)('%s: is read or refused in a sentence', { timeout: 3_600_000 }, async (_, original) => {
    const outcome = await readMutants(await original(), mutantCount, readAll);
    expect(outcome.accepted + outcome.refused).toBe(mutantCount);
    expect(outcome.refused).toBeGreaterThan(mutantCount / 4);
    expect(outcome.accepted).toBeGreaterThan(0);
  });

  it('an index of shards: is read or refused in a sentence', { timeout: 3_600_000 }, async () => {
    const shards = {
      'one.safetensors': writeSafetensors({ a: row(3) }),
      'two.safetensors': writeSafetensors({ b: row(5) }),
    };
    const index = JSON.stringify({ metadata: {}, weight_map: { a: 'one.safetensors', b: 'two.safetensors' } });
    const outcome = await readMutants(new TextEncoder().encode(index), mutantCount, async (source) => {
      const files = memoryStore({ ...shards, f: await source.read('f') });
      for await (const _ of (await openCheckpoint(files, 'f')).stream());
    });
    expect(outcome.accepted + outcome.refused).toBe(mutantCount);
    expect(outcome.refused).toBeGreaterThan(mutantCount / 4);
  });
});

describe('archives', () => {
  const end = 22; // bytes of the end record
  const change = async (edit: (bytes: Uint8Array, view: DataView, directory: number) => void, name = 'training.pt') => {
    const bytes = await fixture(name);
    const view = new DataView(bytes.buffer);
    edit(bytes, view, view.getUint32(bytes.length - end + 16, true));
    return openCheckpoint(memoryStore({ f: bytes }), 'f');
  };
  it.each<[string, Parameters<typeof change>[0], string]>([
    [
      'a compressed entry',
      (_, view, at) => view.setUint16(at + 10, 8, true),
      '"training/data.pkl" is compressed. Only stored',
    ],
    ['an encrypted entry', (_, view, at) => view.setUint16(at + 8, 1, true), '"training/data.pkl" is encrypted'],
    [
      'an entry of 4 GB',
      (_, view, at) => {
        for (const field of [20, 24]) view.setUint32(at + field, 0xfffffffe, true);
      },
      '"training/data.pkl" overlaps',
    ],
    ['two sizes', (_, view, at) => view.setUint32(at + 20, 5, true), 'has two sizes'],
    [
      'a size of 64 bits that is not there',
      (_, view, at) => view.setUint32(at + 24, 0xffffffff, true),
      'its index is broken',
    ],
    ['an entry over another', (_, view, at) => view.setUint32(at + 42, 1, true), 'overlaps'],
    [
      'an index outside',
      (bytes, view) => view.setUint32(bytes.length - end + 16, 0x7fffffff, true),
      'its index lies outside the file',
    ],
    [
      'more entries than there are',
      (bytes, view) => {
        for (const field of [8, 10]) view.setUint16(bytes.length - end + field, 999, true);
      },
      'claims 999 entries',
    ],
    ['one of several disks', (bytes, view) => view.setUint16(bytes.length - end + 4, 1, true), 'one part of several'],
    [
      'zip64 without its records',
      (bytes, view) => view.setUint32(bytes.length - end + 12, 0xffffffff, true),
      'it has no zip64 locator',
    ],
  ])('%s is refused', async (_, edit, message) => {
    await expect(change(edit)).rejects.toThrow(message);
  });

  it('those of more than 4 GB have their index in another record, which is read', async () => {
    const bytes = await fixture('training.pt');
    const view = new DataView(bytes.buffer);
    const at = bytes.length - end;
    const [count, size, offset] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 12, true),
      view.getUint32(at + 16, true),
    ];
    const wide = new Uint8Array(bytes.length + 56 + 20);
    wide.set(bytes.subarray(0, at));
    wide.set(bytes.subarray(at), at + 76);
    const out = new DataView(wide.buffer);
    out.setUint32(at, 0x06064b50, true);
    for (const [field, value] of [
      [32, count],
      [40, size],
      [48, offset],
    ] as const)
      out.setBigUint64(at + field, BigInt(value), true);
    out.setUint32(at + 56, 0x07064b50, true);
    out.setBigUint64(at + 64, BigInt(at), true);
    out.setUint32(at + 76 + 16, 0xffffffff, true);
    const open = () => openCheckpoint(memoryStore({ f: wide }), 'f');
    expect((await open()).key).toBe('ema');
    out.setBigUint64(at + 48, 2n ** 53n, true);
    await expect(open()).rejects.toThrow('it claims 9007199254740992 bytes');
    out.setBigUint64(at + 64, 2n ** 40n, true);
    await expect(open()).rejects.toThrow('its zip64 end record lies outside the file');
  });

  it('an entry that is there twice is refused', async () => {
    const rename = (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at++) {
        const text = String.fromCharCode(...bytes.subarray(at, at + 'training/data/1'.length));
        if (text === 'training/data/1') bytes[at + text.length - 1] = 48;
      }
    };
    await expect(change(rename)).rejects.toThrow('its entry "training/data/0" is there twice.');
  });
});

describe('pickles', () => {
  const read = (...bytes: number[]) => readPickle(Uint8Array.from(bytes), { names: new Map(), persistent: () => null });
  const text = (value: string) => [0x8c, value.length, ...Buffer.from(value)];
  it.each<[string, number[], string]>([
    ['a name (GLOBAL)', [0x63, ...Buffer.from('os\nsystem\n')], 'it asks for "os.system"'],
    ['a name (STACK_GLOBAL)', [...text('builtins'), ...text('eval'), 0x93], 'it asks for "builtins.eval"'],
    ['an instance (INST)', [0x28, 0x69, ...Buffer.from('os\nsystem\n')], 'the instruction 0x69'],
    ['an object (OBJ)', [0x28, 0x6f], 'the instruction 0x6f'],
    ['an extension (EXT1)', [0x82, 1], 'the instruction 0x82'],
    ['a buffer (NEXT_BUFFER)', [0x97], 'the instruction 0x97'],
    ['a call of no function', [0x4e, 0x29, 0x52], 'it calls what is no function'],
    ['a text of 4 GB', [0x58, 0xff, 0xff, 0xff, 0xff], 'it was cut off'],
    ['a text of 2^63 bytes', [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], 'it was cut off'],
    ['a number of 200 bytes', [0x8a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'more than 53 bits'],
    ['a key twice', [0x7d, 0x28, 0x4b, 1, 0x4e, 0x4b, 1, 0x4e, 0x75], 'it sets the key "1" twice'],
    ['half an item', [0x7d, 0x28, 0x4b, 1, 0x75], 'it sets items of what is no dictionary'],
    ['an empty stack', [0x30], 'it takes more than it made'],
    ['no mark', [0x4e, 0x65], 'it takes more than it made'],
    ['a value that was never made', [0x68, 7], 'it recalls value 7'],
    ['a new protocol', [0x80, 6], 'it is of protocol 6'],
    ['no end', [0x4e], 'it was cut off'],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => read(...bytes)).toThrow(PickleError);
    expect(() => read(...bytes)).toThrow(message);
  });

  it('negative and long numbers, floats, tuples and lists are read', () => {
    expect(read(0x4a, 0xff, 0xff, 0xff, 0xff, 0x2e)).toBe(-1);
    expect(read(0x8a, 2, 0x00, 0x80, 0x2e)).toBe(-32768);
    expect(read(0x8a, 0, 0x2e)).toBe(0);
    expect(read(0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0x2e)).toBe(1.5);
    expect(read(0x4b, 1, 0x4b, 2, 0x4b, 3, 0x87, 0x2e)).toEqual([1, 2, 3]);
    expect(read(0x5d, 0x4b, 1, 0x61, 0x2e)).toEqual([1]);
    expect(read(0x5d, 0x94, 0x68, 0, 0x61, 0x2e)).toHaveLength(1); // a list that holds itself
  });
});
