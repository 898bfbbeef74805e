// CLIP's text encoder against transformers', with every parameter random: forward and every parameter's gradient.
import { readFileSync } from 'node:fs';
import { type Device, flattenTree, openDevice, type Tensor, unflattenTree, valueAndGrad, zeros } from '@paris/tensor';
import { halfWeightError, hostTensor, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipTextParams, clipTextForward, clipTextParameterShapes, parseClipTextConfig } from './index.js';

interface Fixture {
  readonly config: unknown;
  readonly params: Record<string, StoredTensor>;
  readonly ids: StoredTensor;
  readonly hidden: StoredTensor;
  readonly pooled: StoredTensor;
  readonly hiddenCotangent: StoredTensor;
  readonly pooledCotangent: StoredTensor;
  readonly gradients: Record<string, StoredTensor>;
}

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

describe.each(['clip', 'clip-old'])('%s.json: equals transformers', (name) => {
  const fixture = JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8')) as Fixture;
  const config = parseClipTextConfig(fixture.config);

  const upload = (stored: StoredTensor): Tensor => device!.tensor(hostTensor(stored).data, stored);
  const uploadedParams = () =>
    unflattenTree(
      Object.entries(fixture.params).map(([path, stored]) => ({ path, value: upload(stored) })),
    ) as unknown as ClipTextParams;

  it('has the parameters of the reference', () => {
    const found = Object.entries(fixture.params).map(([path, { shape }]) => [path, shape]);
    expect(Object.fromEntries(found)).toEqual(clipTextParameterShapes(config));
  });

  it('hidden states, pooled and gradients', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const params = uploadedParams();
    const [ids, toHidden, toPooled] = [fixture.ids, fixture.hiddenCotangent, fixture.pooledCotangent].map(upload);
    const step = device!.compile((params: ClipTextParams) => ({
      ...clipTextForward(config, params, ids!),
      gradients: valueAndGrad((params: ClipTextParams) => {
        const { hidden, pooled } = clipTextForward(config, params, ids!);
        return hidden.mul(toHidden!).sum().add(pooled.mul(toPooled!).sum());
      })(params)[1],
    }));
    const { hidden, pooled, gradients } = await step(params);
    expect(hidden.shape).toEqual(fixture.hidden.shape);
    expect(relativeError(await hidden.read(), fixture.hidden)).toBeLessThan(1e-4);
    expect(pooled.shape).toEqual(fixture.pooled.shape);
    expect(relativeError(await pooled.read(), fixture.pooled)).toBeLessThan(1e-4);
    const found = flattenTree<Tensor>(gradients);
    expect(found.map(({ path }) => path).sort()).toEqual(Object.keys(fixture.gradients).sort());
    for (const { path, value } of found) {
      const expected = fixture.gradients[path]!;
      // A key's bias adds the same to all scores of a query: its gradient is zero, and noise on both sides.
      if (path.endsWith('k_proj.bias'))
        expect(Math.max(...(await value.read()).map(Math.abs)), path).toBeLessThan(1e-3);
      else expect(relativeError(await value.read(), expected), path).toBeLessThan(1e-3);
    }
  });

  it('computes in f32, also with weights in f16', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'the adapter has no f16');
    const ids = upload(fixture.ids);
    const run = (params: ClipTextParams) => clipTextForward(config, params, ids).hidden;
    expect(await halfWeightError(device!, uploadedParams(), run)).toBeLessThan(2e-6);
  });

  it('refuses more tokens than it has positions', () => {
    const long = zeros([1, 8], 'u32');
    expect(() => clipTextForward(config, {} as ClipTextParams, long)).toThrow(
      'ids must be [B, L] with L ≤ 7, got [1, 8].',
    );
  });
});
