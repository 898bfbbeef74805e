import { expect, it } from 'vitest';
import { duration } from './duration.js';

it.each([
  ['30s', 30],
  ['30', 30],
  ['1.5m', 90],
  ['2 h', 7200],
  ['30d', 2_592_000],
])('%j is %d seconds', (text, seconds) => expect(duration(text)).toBe(seconds));

it.each(['', '0', '0s', '-1s', '5w', 's', '1e3', 'soon'])('%j is refused', (text) => {
  expect(() => duration(text)).toThrow('It is not a span of time, such as 30s, 2m or 1h.');
});
