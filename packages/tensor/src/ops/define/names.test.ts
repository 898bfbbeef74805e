// The words that WGSL keeps for itself, as names of inputs.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { useDevice } from '../../testing/use-device.testing.js';
import { defineOp } from './define-op.js';
import { elementwise } from './elementwise.js';
import { wgslWords } from './names.js';
import { none } from './op.js';

const device = useDevice();
const vjp = none('it is a test');
const inWgsl = (input: string) =>
  elementwise({ name: 'mine', inputs: [input], wgsl: `2 * ${input}`, reference: (x) => 2 * x, vjp });

it('a word of WGSL is refused where the op is defined', () => {
  for (const word of ['target', 'let', 'of', 'NULL', 'yield']) {
    expect(() => inWgsl(word)).toThrow(`[mine] WGSL keeps the word ${word} for itself. Rename the input.`);
  }
  const bodies = { f32: '2 * target', i32: '2 * target' };
  expect(() =>
    elementwise({
      name: 'mine',
      inputs: ['target'],
      dtypes: ['f32', 'i32'],
      wgsl: bodies,
      reference: (x) => 2 * x,
      vjp,
    }),
  ).toThrow('[mine] WGSL keeps the word target for itself.');
});

it('what only resembles one is a name, and so is a word that stands in no text', async (context) => {
  const on = device(context);
  for (const name of ['targets', 'Let', 'f32', 'abs', 'x_']) {
    expect([...(await inWgsl(name)(on.tensor([1, 3])).read())], name).toEqual([2, 6]);
  }
  const kept = defineOp({
    name: 'kept',
    inputs: ['target'],
    infer: ({ target }) => target,
    kernel: ({ read, store }) => ({
      workgroupSize: [1, 1, 1],
      workgroups: [2, 1, 1],
      body: store('workgroup_id.x', read('target', 'workgroup_id.x')),
    }),
    reference: ({ target }) => [...target.data],
    vjp,
  });
  expect([...(await kept(on.tensor([1, 3])).read())]).toEqual([1, 3]);
  const double = { declarations: ['fn double(x: f32) -> f32 { return 2 * x; }'] };
  const typed = elementwise({ name: 'typed', inputs: ['target'], wgsl: double, reference: (x) => 2 * x, vjp });
  expect([...(await typed(on.tensor([1, 3])).read())]).toEqual([2, 6]);
});

it('the words are those that @paris/cpu refuses', async () => {
  const reader = await readFile(new URL('../../../../cpu/src/wgsl/token-reader.ts', import.meta.url), 'utf8');
  const lists = [...reader.matchAll(/const (?:KEYWORDS|RESERVED) =\s+'([^']+)'/g)].map(([, list]) => list!.split(' '));
  expect(lists).toHaveLength(2);
  expect(wgslWords.split(' ').sort()).toEqual(lists.flat().sort());
});
