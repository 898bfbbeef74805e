// Ctrl-C in a command, and in what it calls, at any moment.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeStore } from '@paris/files/node';
import { type Device, openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type Act, stoppedAt } from '../../trainer/src/testing/stopped-at.js';
import { sample } from './sample/sample.js';
import { paris } from './testing/paris.js';

const model = fileURLToPath(new URL('../../../examples/quickstart/model', import.meta.url));
let device: Device | undefined;
let pictures: string;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
  pictures = await mkdtemp(join(tmpdir(), 'paris-stop-'));
});
afterAll(async () => {
  await device?.close();
  await rm(pictures, { recursive: true });
});
const onDevice = (context: TestContext): Device => {
  requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
  return device!;
};

it('sample that was stopped at any moment draws the same again', async (context) => {
  const device = onDevice(context);
  const drawn: unknown[] = [];
  const draw: Act = async (from, { signal, tick }) => {
    const how = { prompts: ['cat face'], count: 1, seed: 1, steps: 2, guidance: 1, sampler: 'euler' };
    const { images } = await sample({ device, model: from, ...how, signal, onProgress: tick });
    drawn.push(images);
  };
  const store = nodeStore(model);
  const { moments } = await stoppedAt(Number.POSITIVE_INFINITY, store, draw);
  let early = 0;
  for (let n = 1; n <= moments; n++) if ((await stoppedAt(n, store, draw)).error?.name === 'AbortError') early += 1;
  expect(early).toBeGreaterThan(10);
  await stoppedAt(Number.POSITIVE_INFINITY, store, draw);
  for (const images of drawn) expect(images).toEqual(drawn[0]);
});

describe('a command that is stopped says so and ends with 130', () => {
  it('prepare, which leaves nothing behind', async () => {
    const large = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const source = join(pictures, 'large'); // each takes a moment, so that there are some left when the signal comes
    await mkdir(source);
    for (let i = 0; i < 12; i++) await writeFile(join(source, `${i}.png`), large);
    const { code, stderr } = await paris(['prepare', source, '--json', '--out', join(pictures, 'out')], {
      onEvent: (_, child) => child.kill('SIGINT'),
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'paris: stopped.\n' });
    expect(await readdir(pictures)).not.toContain('out');
  });

  it('sample, before its process listens and while it draws', async (context) => {
    onDevice(context);
    for (const moment of ['adapter', 'loading kB', 'sample']) {
      const { code, stderr } = await paris(
        ['sample', model, '--prompt', 'cat', '--json', '--out', join(pictures, 'x.png')],
        {
          onEvent: (event, child) =>
            (event.type === 'progress' ? event.step > 0 && 'what' in event && event.what : event.type) === moment &&
            child.kill('SIGINT'),
        },
      );
      const said = stderr.replace(/^Warning: .*\n/gm, ''); // Dawn's
      expect({ code, said }).toEqual({ code: 130, said: 'paris: stopped.\n' });
    }
    expect(await readdir(pictures)).not.toContain('x.png');
  });
});
