// The load test's short version: forty clients for a few seconds.
import { expect, it } from 'vitest';
import { load } from './load.js';

it('forty clients of all kinds: every request is answered, and the server still works', async () => {
  const heard = /** @type {any} */ (await load({ clients: 40, seconds: 4 }));
  expect(heard.wrong).toEqual([]);
  expect(heard.answered).toBe(heard.accepted);
  expect(heard.answered).toBeGreaterThan(10);
  expect(heard.refused).toBeGreaterThan(5);
  expect(heard.left).toBeGreaterThan(2);
  expect(heard.state).toMatchObject({ waiting: 0, drawing: 0, devicesLost: 0 });
  expect(heard.state.batches).toBeLessThan(heard.state.pictures);
  expect(heard.health).toBe(200);
});
