// paris profile: the table, and the trace that it writes.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { expect, it } from 'vitest';
import { parisHere } from './testing/paris-here.js';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
}

it('paris profile prints the kernels of a training step and writes a trace of them', async (context) => {
  const works = (await chooseAdapter().catch(() => undefined)) !== undefined;
  requireCapability(context, 'adapter', works, 'WebGPU gives no adapter');
  const folder = await mkdtemp(join(tmpdir(), 'paris-profile-'));
  const trace = join(folder, 'trace.json');
  const size = ['--width', '16', '--heads', '2', '--depth', '1', '--size', '8', '--batch', '4', '--steps', '2'];
  const { code, stdout, stderr } = await parisHere(['profile', ...size, '--trace', trace]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^ *ms +share +runs +TFLOP\/s +GB\/s +roofline +kernel\n/m);
  expect(stdout).toMatch(/ attention/);
  expect(stdout).toMatch(/this adapter reached [\d.e-]+ TFLOP\/s in a product, [\d.e-]+ GB\/s in a copy/);
  const { traceEvents } = JSON.parse(await readFile(trace, 'utf8')) as { traceEvents: TraceEvent[] };
  const kernels = traceEvents.filter(({ ph }) => ph === 'X');
  expect(kernels).toHaveLength(Number(/(\d+) dispatches/.exec(stdout)![1]));
  expect(kernels.every(({ ts, dur }, i) => dur >= 0 && ts >= (kernels[i - 1]?.ts ?? 0))).toBe(true);
  await rm(folder, { recursive: true });
});
