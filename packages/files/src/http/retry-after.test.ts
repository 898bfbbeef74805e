import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.js';

const at = (ms: number) => new Date(ms).toUTCString();
const minute = 60_000;

it('takes seconds, and nothing else that is no date', () => {
  expect(retryAfterMs(new Headers({ 'retry-after': '7' }))).toBe(7000);
  expect(retryAfterMs(new Headers({ 'retry-after': 'soon' }))).toBeUndefined();
  expect(retryAfterMs(new Headers())).toBeUndefined();
});

it.each([-3_600_000, 0, 3_600_000])('takes a date as the server means it, whose clock is %d ms from ours', (ahead) => {
  const server = 1_800_000_000_000 + ahead;
  expect(retryAfterMs(new Headers({ date: at(server), 'retry-after': at(server + minute) }))).toBe(minute);
  expect(retryAfterMs(new Headers({ date: at(server), 'retry-after': at(server - minute) }))).toBe(0);
});

it('takes a date by our clock where the server does not say its own, and is never negative', () => {
  expect(retryAfterMs(new Headers({ 'retry-after': at(0) }))).toBe(0);
  expect(retryAfterMs(new Headers({ 'retry-after': at(4_000_000_000_000) }))).toBeGreaterThan(0);
});
