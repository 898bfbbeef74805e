import { expect, it } from 'vitest';
import { duplicateKey, isDeeper } from './json-text.js';

it.each([
  ['[]', 1],
  ['{"a": [1, {"b": "[[[["}]}', 3],
  ['["\\"[[[", "\\\\", [[]]]', 3],
  ['"[["', 0],
  ['[[],[],[]]', 2],
  ['["unfinished [[', 1],
])('%s lies %i deep', (json, depth) => {
  expect([isDeeper(json, depth), isDeeper(json, depth - 1)]).toEqual([false, true].map((is) => is && depth > 0));
});

it.each([
  ['{"a": 1, "b": {"a": 2}, "c": [{"a": 3}, {"a": 4}]}', undefined],
  ['{"a": 1, "\\u0061": 2}', 'a'],
  ['{"a": "a", "b": "a"}', undefined],
  ['{"a": {"x" :1,"x"\n:2}}', 'x'],
  ['{"__proto__": 1, "constructor": 2, "__proto__": 3}', '__proto__'],
  ['{"a":"b","b":"a\\":","c":1}', undefined],
  ['{"a":{"b":1,"c":[1],"b":2}}', 'b'],
  ['[{"x":1,"\\u0078" :2}]', 'x'],
  ['{"quote\\"": 1, "back\\\\": 2, "back\\\\": 3}', 'back\\'],
])('the duplicate key of %s is %s', (json, key) => {
  expect(duplicateKey(json)).toBe(key);
});

it('takes strings of any length, and any depth', () => {
  const long = '\\"x'.repeat(1_000_000);
  expect(duplicateKey(`{"a": "${long}", "b": 1, "b": 2}`)).toBe('b');
  expect(isDeeper(`{"a": "${long}"}`, 1)).toBe(false);
  expect(isDeeper('['.repeat(1_000_000), 1_000_000)).toBe(false);
  expect(isDeeper('['.repeat(1_000_000), 999_999)).toBe(true);
});
