import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { requireCapability } from '@paris/test-tools';
import { describe, expect, it } from 'vitest';
import { type ByteRange, type FileSource, memoryStore } from '../index.js';
import { nodeStore } from '../node/index.js';
import { type HostTensor, readSafetensors, writeSafetensors } from '../safetensors/index.js';
import { type Checkpoint, openCheckpoint } from './index.js';

const fixtures = new URL('../../fixtures/checkpoint/', import.meta.url);
const fixture = (name: string) => readFile(new URL(name, fixtures));
const open = (bytes: Uint8Array | string, key?: string) => openCheckpoint(memoryStore({ f: bytes }), 'f', { key });

async function all(checkpoint: Checkpoint): Promise<Record<string, HostTensor>> {
  const found: [string, HostTensor][] = [];
  for await (const entry of checkpoint.stream()) found.push(entry);
  return Object.fromEntries(found);
}

const quarters = Float32Array.from({ length: 12 }, (_, i) => i / 4);
const transposed = Float32Array.from({ length: 12 }, (_, i) => quarters[(i % 3) * 4 + Math.floor(i / 3)]!);
/** What tools/fixtures/torch_files.py saves. */
const saved: Record<string, HostTensor> = {
  whole: { data: quarters, shape: [3, 4], dtype: 'f32' },
  transposed: { data: transposed, shape: [4, 3], dtype: 'f32' },
  row: { data: Float32Array.of(2, 2.25, 2.5, 2.75), shape: [4], dtype: 'f32' },
  double: { data: Float32Array.of(0.1, Number.NEGATIVE_INFINITY), shape: [2], dtype: 'f32' },
  half: { data: Float32Array.of(0.3330078125, 65504, -(2 ** -24)), shape: [3, 1], dtype: 'f16' },
  brain: { data: Float32Array.of(1, -3.140625, 3.3895313892515355e38), shape: [3], dtype: 'bf16' },
  ids: { data: Int32Array.of(-5, 2147483647), shape: [1, 2], dtype: 'i32' },
  signed: { data: Int32Array.of(-1, 7), shape: [2], dtype: 'i32' },
  bytes: { data: Uint8Array.of(0, 127, 255), shape: [3], dtype: 'u8' },
  flags: { data: Uint32Array.of(1, 0), shape: [2], dtype: 'bool' },
  scalar: { data: Float32Array.of(0.5), shape: [], dtype: 'f32' },
  empty: { data: new Float32Array(0), shape: [0, 3], dtype: 'f32' },
};

describe('checkpoints of PyTorch', () => {
  it.each(['dtypes-2.pt', 'dtypes-4.pt'])('%s: every type, views of a shared storage', async (name) => {
    const checkpoint = await open(await fixture(name));
    expect(checkpoint.format).toBe('PyTorch');
    expect(checkpoint.key).toBeUndefined();
    expect(checkpoint.entries.map((entry) => entry.name)).toEqual(Object.keys(saved));
    expect(checkpoint.entries[5]).toEqual({ name: 'brain', dtype: 'BF16', shape: [3] });
    expect(await all(checkpoint)).toEqual(saved);
  });

  it('takes the average of a training, or what is named', async () => {
    const bytes = await fixture('training.pt');
    const of = async (key?: string) => {
      const checkpoint = await open(bytes, key);
      return [checkpoint.key, (await all(checkpoint)).w!.data[0]];
    };
    expect(await of()).toEqual(['ema', 2]);
    expect(await of('model')).toEqual(['model', 1]);
    await expect(of('opt')).rejects.toThrow('"f": it holds no tensors under "opt", but under "model", "ema".');
  });

  it('refuses a name that is no data, and runs nothing', async () => {
    await expect(open(await fixture('code.pt'))).rejects.toThrow(
      '[checkpoint] "f": it asks for "pathlib.PurePosixPath", which is no tensor, number, list or dictionary; ' +
        'nothing of it is run. Save the weights alone, with torch.save(model.state_dict(), …).',
    );
  });

  const real = new URL('../../../../../shared/data/taef2/', import.meta.url);
  for (const name of ['encoder', 'decoder'])
    it(`reads a real ${name} as its twin in safetensors`, async (context) => {
      requireCapability(context, 'data', existsSync(real), 'there is no real checkpoint here');
      const store = nodeStore(real.pathname);
      const found = await all(await openCheckpoint(store, `taef2_${name}.pth`));
      const twin = await readSafetensors(store, `${name}.safetensors`);
      expect(Object.keys(found).sort()).toEqual(Object.keys(twin).sort());
      expect(Object.keys(twin)).toHaveLength(79);
      for (const [key, { data, shape, dtype }] of Object.entries(twin)) {
        expect(found[key]).toMatchObject({ shape, dtype });
        expect(Buffer.compare(Buffer.from(found[key]!.data.buffer), Buffer.from(data.buffer)), key).toBe(0);
      }
    });
});

describe('what is read of a file', () => {
  it('is the index, and then only the spans of what is wanted', async () => {
    const bytes = await fixture('dtypes-2.pt');
    const spans: ByteRange[] = [];
    const inner = memoryStore({ f: bytes });
    const read: FileSource['read'] = (path, range) => {
      if (range) spans.push(range);
      return inner.read(path, range);
    };
    const checkpoint = await openCheckpoint({ ...inner, read }, 'f');
    const names = async (isWanted?: (name: string) => boolean) => {
      spans.length = 0;
      const found: string[] = [];
      for await (const [name] of checkpoint.stream(isWanted)) found.push(name);
      return found;
    };
    expect(await names((name) => name === 'half')).toEqual(['half']);
    expect(spans).toHaveLength(1);
    expect(spans[0]!.length).toBeLessThan(100); // its local header, and 6 bytes
    expect(await names((name) => name !== 'half')).toHaveLength(11);
    expect(spans).toHaveLength(1);
    expect(await names(() => false)).toEqual([]);
  });
});

describe('weights in several files', () => {
  const f32 = (...data: number[]): HostTensor => ({
    data: Float32Array.from(data),
    shape: [data.length],
    dtype: 'f32',
  });
  const shards = {
    'm/one.safetensors': writeSafetensors({ a: f32(1), b: f32(2) }),
    'm/two.safetensors': writeSafetensors({ c: f32(3) }),
  };
  const map = { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' };
  const sharded = (weightMap: object | string, files: Record<string, Uint8Array> = shards) =>
    openCheckpoint(
      memoryStore({
        ...files,
        'm/i.json': typeof weightMap === 'string' ? weightMap : JSON.stringify({ weight_map: weightMap }),
      }),
      'm/i.json',
    );

  it('are one checkpoint', async () => {
    const checkpoint = await sharded(map);
    expect(checkpoint.format).toBe('safetensors in 2 files');
    expect(await all(checkpoint)).toEqual({ a: f32(1), b: f32(2), c: f32(3) });
    const found: string[] = [];
    for await (const [name] of checkpoint.stream((each) => each !== 'a')) found.push(name);
    expect(found).toEqual(['b', 'c']);
  });

  it('may be of PyTorch', async () => {
    const checkpoint = await sharded({ w: 'x.bin' }, { 'm/x.bin': await fixture('training.pt') });
    expect(checkpoint.format).toBe('PyTorch in 1 files');
    expect((await all(checkpoint)).w!.data[0]).toBe(2);
  });

  it.each([
    [
      'a missing shard',
      { ...map, d: 'three.safetensors' },
      '"m/i.json": it names files that are missing: "three.safetensors".',
    ],
    [
      'swapped shards',
      { a: 'two.safetensors', b: 'two.safetensors', c: 'one.safetensors' },
      '"a" is in "one.safetensors", not in "two.safetensors"',
    ],
    [
      'a tensor too many',
      { a: 'one.safetensors', c: 'two.safetensors' },
      '"b" is in "one.safetensors", not in the index',
    ],
    ['a tensor too few', { ...map, d: 'one.safetensors' }, '"d" is not in "one.safetensors"'],
    ['an index that names itself', { a: 'i.json' }, 'which is no file of weights in its folder'],
    ['a way out', { a: '../secret.safetensors' }, 'which is no file of weights in its folder'],
    ['a tensor named twice', '{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}', 'it names "a" twice.'],
    ['no map', '{"weights":{}}', 'it has no weight_map'],
    ['an empty map', '{"weight_map":{}}', 'it names no tensor'],
  ])('%s is refused', async (_, weightMap, message) => {
    await expect(sharded(weightMap)).rejects.toThrow(message);
  });
});

describe('files that are something else', () => {
  it.each([
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00', 'a pointer of Git LFS'],
    ['a page', '<!doctype html><title>404</title>', 'it is a web page, not weights'],
    ['an old pickle', Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20), 'a bare pickle'],
    ['nothing', new Uint8Array(0), 'too few for a header'],
    ['an empty archive', Uint8Array.of(0x50, 0x4b, 3, 4), 'it has no end record'],
  ])('%s', async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(message);
  });

  it('a safetensors file whose names have a prefix gives those of the key', async () => {
    const row: HostTensor = { data: Float32Array.of(1), shape: [1], dtype: 'f32' };
    const bytes = writeSafetensors({ 'ema.w': row, 'model.w': { ...row, data: Float32Array.of(2) } });
    expect(await all(await open(bytes, 'ema'))).toEqual({ w: row });
    await expect(open(bytes, 'best')).rejects.toThrow(`no tensor's name begins with "best."`);
  });

  it('a safetensors file with an average beside the model gives the average', async () => {
    const row = (value: number): HostTensor => ({ data: Float32Array.of(value), shape: [1], dtype: 'f32' });
    const file = (...names: string[]) => writeSafetensors(Object.fromEntries(names.map((name, i) => [name, row(i)])));
    const chosen = await open(file('model.w', 'ema.w', 'model.buffer', 'step'));
    expect([chosen.key, await all(chosen)]).toEqual(['ema', { w: row(1) }]);
    // No averages, but parts of a network.
    for (const names of [
      ['ema.b', 'ema.w'],
      ['ema.v', 'model.w'],
      ['model.w', 'schema.w'],
      ['ema', 'w'],
      ['ema.w', 'one.w', 'two.w'],
    ]) {
      const whole = await open(file(...names));
      expect([whole.key, Object.keys(await all(whole))]).toEqual([undefined, names]);
    }
    const files = { 'a.safetensors': file('model.w'), 'b.safetensors': file('ema.w', 'model.v') };
    const index = JSON.stringify({
      weight_map: { 'model.w': 'a.safetensors', 'ema.w': 'b.safetensors', 'model.v': 'b.safetensors' },
    });
    const sharded = await openCheckpoint(memoryStore({ ...files, 'i.json': index }), 'i.json');
    expect([sharded.key, await all(sharded)]).toEqual(['ema', { w: row(0) }]);
  });
});
