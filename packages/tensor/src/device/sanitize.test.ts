// openDevice({ sanitize }): a kernel with a planted race, and the same without.
import type { Finding } from '@paris/cpu';
import { expect, it } from 'vitest';
import { KernelError } from '../errors.js';
import { defineOp } from '../ops/define/define-op.js';
import { none } from '../ops/define/op.js';
import { openDevice } from './open.js';

/** A row of 16 back to front, through workgroup memory. */
const reversed = (barrier: string) =>
  defineOp({
    name: 'reversed',
    inputs: ['x'],
    infer: ({ x }) => x,
    kernel: ({ read, store }) => ({
      workgroupSize: [16, 1, 1],
      workgroups: [1, 1, 1],
      declarations: 'var<workgroup> row: array<f32, 16>;',
      body: `row[local_index] = ${read('x', 'local_index')};
${barrier}
${store('local_index', 'row[15u - local_index]')}`,
    }),
    reference: ({ x }) => [...x.data].reverse(),
    vjp: none('nobody asks for it'),
  });
const faulty = reversed('');
const right = reversed('workgroupBarrier();');
const numbers = Array.from({ length: 16 }, (_, i) => i);

it('rejects with what the sanitizer found, and everything after it', async () => {
  const device = await openDevice({ sanitize: true });
  expect(device.info).toMatchObject({ adapter: 'Paris, sanitized', software: false, subgroupSize: 32 });
  expect([...(await right(device.tensor(numbers)).read())]).toEqual([...numbers].reverse());
  const error = await faulty(device.tensor(numbers))
    .read()
    .catch((error: unknown) => error);
  expect(error).toBeInstanceOf(KernelError);
  // Without the barrier the first invocation reads what nobody has written yet.
  expect(String(error)).toMatch(/\[sanitize\] uninitialized in "reversed", main: invocation \(0, 0, 0\) .*to "row"/);
  expect(() => device.tensor([1])).toThrow(KernelError);
  await device.close();
});

it('hands findings over instead where someone takes them', async () => {
  const findings: Finding[] = [];
  const sanitize = { subgroupSize: 8, onFinding: (finding: Finding) => void findings.push(finding) };
  const device = await openDevice({ sanitize });
  expect(device.info.subgroupSize).toBe(8);
  await faulty(device.tensor(numbers)).read();
  expect(new Set(findings.map(({ kind, variable }) => `${kind} ${variable}`))).toContain('race row');
  expect([...(await right(device.tensor(numbers)).read())]).toEqual([...numbers].reverse());
  await device.close();
});
