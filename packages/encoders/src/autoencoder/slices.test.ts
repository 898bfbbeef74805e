// What slices are for: a batch takes about the memory of one of them.
import { key, normal, openDevice, type Tensor } from '@paris/tensor';
import { expect, it } from 'vitest';
import {
  createTinyAutoencoder,
  parseTinyAutoencoderConfig,
  type Slicing,
  type TinyAutoencoderParams,
} from './index.js';
import { spans } from './layers.js';

it('spans are even, cover everything and take at most what they may, but one row at least', () => {
  expect(spans(10, 4, 40)).toEqual([[0, 10]]);
  expect(spans(10, 4, 39)).toEqual([
    [0, 5],
    [5, 10],
  ]);
  expect(spans(5, 4, 8)).toEqual([
    [0, 2],
    [2, 4],
    [4, 5],
  ]);
  expect(spans(3, 100, 1)).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  expect(spans(3, 0, 1)).toEqual([[0, 3]]);
});

it('eight pictures one after the other take less than half the memory of all at once', async (context) => {
  const widths = { encoder_block_out_channels: [8, 8], decoder_block_out_channels: [8, 8] };
  const config = parseTinyAutoencoderConfig({ ...widths, num_encoder_blocks: [1, 1], num_decoder_blocks: [1, 1] });
  const taken = async (options: Partial<Slicing>) => {
    const device = await openDevice().catch(() => context.skip('adapter: WebGPU gives no adapter'));
    const codec = createTinyAutoencoder(config, options);
    const params = await device.run(codec.init(key(0)));
    const [latents] = (await device.run([normal(key(1), [8, 4, 16, 16])])) as [Tensor];
    const before = device.counters.bytesAllocated;
    const decode = device.compile((of: TinyAutoencoderParams, x: Tensor) => codec.decode(of, x));
    const pictures = await decode(params, latents);
    const values = await pictures.read();
    const bytes = device.counters.bytesAllocated - before;
    await device.close();
    return { values, bytes };
  };
  const whole = await taken({});
  const sliced = await taken({ memoryBudgetBytes: 1 });
  expect(sliced.values).toEqual(whole.values);
  expect(sliced.bytes).toBeLessThan(whole.bytes / 2);
});
