import { expect, it } from 'vitest';
import { sha256 } from './hash.js';
import { checkJson, encodeJson, parseJson, readJson, type Schema, writeJson } from './json.js';
import { memoryStore } from './stores/memory.js';

/** Accepts `{ size: number }`, and says what is wrong as zod does. */
const schema: Schema<{ size: number }> = {
  safeParse(value) {
    const size = (value as { size?: unknown } | null)?.size;
    if (typeof size === 'number') return { success: true, data: { size } };
    const issue = { code: 'invalid_type', path: ['size'], message: '', expected: 'number' };
    return { success: false, error: { issues: [issue] } };
  },
};

it('writes JSON with two spaces and a last newline, and reads it back checked', async () => {
  const store = memoryStore();
  await writeJson(store, 'a.json', { size: 3, more: [1] });
  const bytes = await store.read('a.json');
  expect(new TextDecoder().decode(bytes)).toBe('{\n  "size": 3,\n  "more": [\n    1\n  ]\n}\n');
  expect(encodeJson({ size: 3, more: [1] })).toEqual(bytes);
  expect(await readJson(store, 'a.json', schema)).toEqual({ size: 3 });
});

it('refuses what is missing, is not JSON, or has another shape, and names the file', async () => {
  const store = memoryStore({ 'a.json': '{"size":"3"}', 'b.json': '<html>' });
  await expect(readJson(store, 'c.json', schema)).rejects.toThrow('[readJson] c.json is missing.');
  await expect(readJson(store, 'b.json', schema, 'load')).rejects.toThrow('[load] b.json is not JSON: ');
  await expect(readJson(store, 'a.json', schema)).rejects.toMatchObject({
    code: 'CHECKPOINT',
    message: '[readJson] a.json is not what this version reads: size must be a number, got "3".',
  });
  const origin = { tag: 'load', path: 'a.json', fix: 'Make it again.' };
  expect(() => checkJson(parseJson('{}', origin), schema, origin)).toThrow('size is missing. Make it again.');
});

it('refuses lists and objects that lie too deep in each other, before anything walks them', () => {
  const deep = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
  const origin = { tag: 'load', path: 'a.json' };
  expect(parseJson(deep('[', ']', 64), origin)).toHaveLength(1);
  for (const json of [deep('[', ']', 65), deep('{"a":', '}', 65), '['.repeat(1e6), deep('{"a":[', ']}', 1e6)]) {
    expect(() => parseJson(json, origin)).toThrow('[load] a.json nests lists and objects more than 64 deep.');
  }
});

it('reads no file that is larger than a text can be', async () => {
  const asked: unknown[] = [];
  const inner = memoryStore({ 'a.json': '{"size":3}' });
  const store = {
    ...inner,
    read: (...args: Parameters<typeof inner.read>) => {
      asked.push(args[2]);
      return inner.read(...args);
    },
  };
  expect(await readJson(store, 'a.json', schema)).toEqual({ size: 3 });
  expect(asked).toEqual([{ maxBytes: 2 ** 28 }]);
});

it('sha256 of known texts (FIPS 180-4)', async () => {
  expect(await sha256(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  const abc = new TextEncoder().encode('xabcx').subarray(1, 4); // a view hashes its own bytes only
  expect(await sha256(abc)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
