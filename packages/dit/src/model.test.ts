// The whole network against PyTorch, with every parameter random: forward and every parameter's gradient.
import { readFileSync } from 'node:fs';
import { type Condition, fromStateDict, type KeyMap, type NoisyInput, type StateDict } from '@paris/model';
import { type Device, flattenTree, key, openDevice, type Tensor, unflattenTree, valueAndGrad } from '@paris/tensor';
import { halfWeightError, hostTensor, relativeError, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDiT,
  type DiTConfig,
  type DiTParams,
  ditForward,
  ditParameterShapes,
  facebookLayout,
  parseDiTConfig,
  pixartLayout,
} from './index.js';

interface Fixture {
  readonly config: unknown;
  readonly params: Record<string, StoredTensor>;
  readonly latents: StoredTensor;
  readonly time: StoredTensor;
  readonly condition?: StoredTensor;
  readonly mask?: StoredTensor;
  readonly output: StoredTensor;
  readonly cotangent: StoredTensor;
  readonly gradients: Record<string, StoredTensor>;
}

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

/** The fixtures, and whose names their parameters have. */
const fixtures: [string, KeyMap?][] = [
  ['tokens'],
  ['embeddings'],
  ['label'],
  ['none'],
  ['zero'],
  ['facebook', facebookLayout],
  ['pixart', pixartLayout],
];

describe.each(fixtures)('%s.json: equals PyTorch', (name, layout) => {
  const path = new URL(`../fixtures/${name}.json`, import.meta.url);
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;
  const config = parseDiTConfig(fixture.config);
  const shapes = ditParameterShapes(config);
  const ours = (stored: Fixture['params']): Record<string, StoredTensor> => {
    if (!layout) return stored;
    const theirs = Object.entries(stored).map(([key, each]) => [key, hostTensor(each)] as const);
    const mapped = fromStateDict(layout, shapes, Object.fromEntries(theirs) as StateDict);
    return Object.fromEntries(
      Object.entries(mapped).map(([path, { shape, data }]) => [path, { shape, data: [...data], dtype: 'f32' }]),
    );
  };

  const upload = (stored: StoredTensor) => device!.tensor(hostTensor(stored).data, stored);
  const uploaded = () => {
    const params = unflattenTree(
      Object.entries(ours(fixture.params)).map(([path, stored]) => ({ path, value: upload(stored) })),
    ) as unknown as DiTParams;
    const conditioning =
      fixture.condition && conditionOf(config, upload(fixture.condition), fixture.mask && upload(fixture.mask));
    const input: NoisyInput = {
      latents: upload(fixture.latents),
      time: upload(fixture.time),
      ...(conditioning && { condition: conditioning }),
    };
    return { params, input };
  };

  it('has the parameters of the reference', () => {
    const found = Object.entries(ours(fixture.params)).map(([path, { shape }]) => [path, shape]);
    expect(Object.fromEntries(found)).toEqual(shapes);
  });

  // A software adapter compiles about a hundred shaders for this.
  it('forward and gradients', { timeout: 900_000 }, async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const { params, input } = uploaded();
    const prediction = ditForward(config, params, input);
    expect(prediction.shape).toEqual(fixture.output.shape);
    expect(relativeError(await prediction.read(), fixture.output)).toBeLessThan(1e-4);

    const own = createDiT(config).apply(params, input); // without a learned sigma
    expect(own.shape).toEqual(fixture.latents.shape);
    const first = (await prediction.read()).slice(0, own.size / own.shape[0]!);
    expect((await own.read()).slice(0, first.length)).toEqual(first);

    const cotangent = upload(fixture.cotangent);
    const loss = (params: DiTParams) => ditForward(config, params, input).mul(cotangent).sum();
    const [, gradients] = valueAndGrad(loss)(params);
    await device!.run(gradients);
    const found = new Map(flattenTree<Tensor>(gradients).map(({ path, value }) => [path, value]));
    const gradientsOf = ours(fixture.gradients); // a gradient is packed as its parameter is
    expect([...found.keys()].sort()).toEqual(Object.keys(gradientsOf).sort());
    for (const [path, expected] of Object.entries(gradientsOf)) {
      expect(relativeError(await found.get(path)!.read(), expected), path).toBeLessThan(1e-3);
    }
  });

  it('computes in f32, also with weights in f16', async (context) => {
    requireCapability(context, 'f16', device?.hasFeature('shader-f16') === true, 'the adapter has no f16');
    const { params, input } = uploaded();
    expect(await halfWeightError(device!, params, (params) => ditForward(config, params, input))).toBeLessThan(2e-6);
  });
});

function conditionOf({ condition }: DiTConfig, tensor: Tensor, mask?: Tensor): Condition {
  if (condition.kind === 'label') return { kind: 'label', label: tensor };
  const masked = mask ? { mask } : {};
  return condition.kind === 'tokens'
    ? { kind: 'tokens', ids: tensor, ...masked }
    : { kind: 'embeddings', tokens: tensor, ...masked };
}

const tiny: DiTConfig = parseDiTConfig({
  inputSize: 4,
  channels: 1,
  patchSize: 2,
  hiddenSize: 8,
  depth: 2,
  heads: 2,
  condition: { kind: 'tokens', vocabulary: 5, maxTokens: 2, width: 4 },
});

describe('a fresh expert', () => {
  it('predicts zero everywhere, whatever it is shown', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const expert = createDiT(tiny);
    const latents = device!.tensor(
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      { shape: [2, 1, 4, 4] },
    );
    const time = device!.tensor(Float32Array.of(0.2, 0.9), { shape: [2] });
    const ids = device!.tensor(Uint32Array.of(1, 2, 3, 0), { shape: [2, 2], dtype: 'u32' });
    const y = expert.apply(expert.init(key(1)), { latents, time, condition: { kind: 'tokens', ids } });
    expect(await y.read()).toEqual(new Float32Array(32));
  });

  it('has the table’s shapes, and the same weights from the same key only', async (context) => {
    const fresh = (seed: number) => flattenTree<Tensor>(createDiT(tiny).init(key(seed)));
    const shapes = Object.fromEntries(fresh(1).map(({ path, value }) => [path, value.shape]));
    expect(shapes).toEqual(ditParameterShapes(tiny));
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const weights = async (seed: number, path: string) => {
      const [tensor] = await device!.run([fresh(seed).find((entry) => entry.path === path)!.value]);
      return tensor!.read();
    };
    expect(await weights(1, 'layers.0.mlp.0.weight')).toEqual(await weights(1, 'layers.0.mlp.0.weight'));
    expect(await weights(1, 'layers.0.mlp.0.weight')).not.toEqual(await weights(2, 'layers.0.mlp.0.weight'));
    expect(await weights(1, 'layers.0.mlp.0.weight')).not.toEqual(await weights(1, 'layers.1.mlp.0.weight'));
    const drawn = await weights(3, 'layers.0.attn.in_proj_weight'); // [24, 8]: Xavier's bound is √(6 / 32)
    const bound = Math.sqrt(6 / 32);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(bound);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-bound);
    expect(Math.max(...drawn) - Math.min(...drawn)).toBeGreaterThan(1.8 * bound);
  });
});
