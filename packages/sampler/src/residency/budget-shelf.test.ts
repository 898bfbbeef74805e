import type { Expert } from '@paris/model';
import type { Tensor } from '@paris/tensor';
import { describe, expect, it } from 'vitest';
import { budgetShelf } from './budget-shelf.js';

const expert = {} as Expert;

/** Five experts of 100 bytes, the last of 150, and a log of what came and went. Weights name their expert. */
function shelf(budgetBytes: number, load: (k: number) => Promise<void> = async () => {}) {
  const log: string[] = [];
  const made = budgetShelf({
    experts: new Array(5).fill(expert),
    sizes: [100, 100, 100, 100, 150],
    budgetBytes,
    load: async (k) => {
      log.push(`+${k}`);
      await load(k);
      return { k: k as unknown as Tensor };
    },
    unload: (params) => log.push(`-${(params as { k: unknown }).k}`),
  });
  const use = async (k: number) => {
    const lease = await made.acquire(k);
    lease.release();
    return lease;
  };
  return { shelf: made, log, use };
}

describe('a shelf with a budget', () => {
  it('loads what is asked for, and lets the least recently used go', async () => {
    const { shelf: own, log, use } = shelf(250);
    expect(own.resident.size).toBe(0);
    for (const k of [0, 1, 0, 2, 0, 4]) expect((await use(k)).params).toEqual({ k });
    expect(log).toEqual(['+0', '+1', '-1', '+2', '-2', '+4']);
    expect([...own.resident]).toEqual([0, 4]);
    expect(own.residency).toEqual({
      budgetBytes: 250,
      residentBytes: 250,
      peakBytes: 250,
      loads: 4,
      evictions: 2,
      loadedBytes: 450,
      loadMilliseconds: expect.any(Number),
    });
  });

  it('says with the lease what it took', async () => {
    const { use } = shelf(200);
    expect((await use(0)).load).toMatchObject({ bytes: 100, evictions: 0 });
    expect((await use(0)).load).toBeUndefined();
    await use(1);
    expect((await use(4)).load).toMatchObject({ bytes: 150, evictions: 2 });
  });

  it('lets nothing go that is in use, and waits for it where there is no other room', async () => {
    const { shelf: own, log, use } = shelf(200);
    const [first, second] = [await own.acquire(0), await own.acquire(1)];
    const waiting = use(2);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual(['+0', '+1']);
    second.release();
    second.release(); // counts once
    await waiting;
    expect(log).toEqual(['+0', '+1', '-1', '+2']);
    first.release();
    await use(3);
    expect(log.slice(4)).toEqual(['-0', '+3']);
  });

  it('loads once, however many ask at once', async () => {
    const { log, use } = shelf(200);
    await Promise.all([use(3), use(3), use(3), use(1)]);
    expect(log).toEqual(['+3', '+1']);
  });

  it('never holds more than its budget', async () => {
    const { shelf: own, use } = shelf(300);
    await Promise.all(Array.from({ length: 40 }, (_, i) => use((i * 7) % 5)));
    expect(own.residency!.peakBytes).toBeLessThanOrEqual(300);
    expect(own.residency!.loads).toBeGreaterThan(5);
  });

  it('is as it was after a load that failed', async () => {
    let fails = true;
    const { shelf: own, use } = shelf(100, async () => {
      if (fails) throw new Error('no such file');
    });
    await expect(use(0)).rejects.toThrow('no such file');
    expect([own.resident.size, own.residency!.residentBytes, own.residency!.loads]).toEqual([0, 0, 0]);
    fails = false;
    await use(0);
    expect([...own.resident]).toEqual([0]);
  });

  it('is left by a signal, while the load goes on for others', async () => {
    const finish: (() => void)[] = [];
    const { shelf: own, use } = shelf(100, () => new Promise((resolve) => finish.push(resolve)));
    const controller = new AbortController();
    const waiting = own.acquire(0, controller.signal);
    await Promise.resolve();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(own.acquire(0, controller.signal)).rejects.toThrow('enough');
    finish[0]!();
    expect((await use(0)).load).toBeUndefined(); // it had come
    const next = use(1); // and nobody holds it
    await new Promise((resolve) => setTimeout(resolve, 5));
    finish[1]!();
    await next;
    expect([...own.resident]).toEqual([1]);
  });
});
