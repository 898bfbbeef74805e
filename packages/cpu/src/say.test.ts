import { expect, it } from 'vitest';
import { codesOf } from '../sentences.js';
import { say, spell, withSentences } from './say.js';

const source = `const type = "f32"; return say\`"\${name}" cannot be \${list.length ? say\`made from \${list.join()}\` : type}.\`;`;
const evaluate = (code: string) => new Function('say', 'name', 'list', code)(say, '$&', ['i32', 'u32']) as string;

it('a sentence says the same in the built package, where it is a code at first', () => {
  const sentences: string[][] = [];
  const built: string = codesOf(source, sentences);
  expect(sentences).toEqual([
    ['"', '" cannot be ', '.'],
    ['made from ', ''],
  ]);
  expect(built).toContain('say(0, name, ');
  expect(evaluate(built)).not.toContain('cannot be');
  expect(withSentences(`2:3 ${evaluate(built)}`, sentences)).toBe('2:3 "$&" cannot be made from i32,u32.');
  expect(evaluate(source)).toBe('"$&" cannot be made from i32,u32.');
});

it('a message without codes is not waited for', () => {
  expect(spell('no code')).toBe('no code');
});

it('a message whose sentences are not to be had still has its operands', async () => {
  expect(await spell(`3:4 ${say(7, 'a', say(8))}`)).toBe(
    '3:4 error 7 (a, error 8 (), whose text could not be loaded), whose text could not be loaded',
  );
});
