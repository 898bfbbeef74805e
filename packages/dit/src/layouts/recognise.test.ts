import { readFileSync } from 'node:fs';
import type { Checkpoint } from '@paris/files/checkpoint';
import { fromStateDict, type KeyMap, mapCheckpoint, type StateDict, toStateDict } from '@paris/model';
import { sinCosPositions2d, timestepEmbedding } from '@paris/model/transformer';
import { CheckpointError, type Device, openDevice, silu, type Tensor } from '@paris/tensor';
import { linear } from '@paris/tensor/nn';
import { hostTensor, type StoredTensor } from '@paris/tensor/testing';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type DiTHints,
  diffusersDiTLayout,
  diffusersPixArtLayout,
  ditParameterShapes,
  facebookLayout,
  parisLayout,
  parseDiTConfig,
  pixartLayout,
  recogniseDiT,
} from '../index.js';

let device: Device | undefined;
beforeAll(async () => {
  device = await openDevice().catch(() => undefined);
});
afterAll(() => device?.close());

/** A fixture that PyTorch made under a layout's own names. */
function fixture(name: string): { config: object; theirs: StateDict } {
  const path = new URL(`../../fixtures/${name}.json`, import.meta.url);
  const { config, params } = JSON.parse(readFileSync(path, 'utf8')) as {
    config: object;
    params: Record<string, StoredTensor>;
  };
  const theirs = Object.entries(params).map(([key, stored]) => [key, hostTensor(stored)] as const);
  return { config, theirs: Object.fromEntries(theirs) as StateDict };
}

function inMemory(theirs: StateDict): Checkpoint {
  return {
    format: 'memory',
    entries: Object.entries(theirs).map(([name, { shape, dtype }]) => ({ name, shape, dtype: dtype.toUpperCase() })),
    async *stream(isWanted = () => true) {
      for (const [name, tensor] of Object.entries(theirs)) if (isWanted(name)) yield [name, tensor];
    },
  };
}

const shapesOf = (theirs: StateDict) =>
  Object.fromEntries(Object.entries(theirs).map(([name, { shape }]) => [name, shape]));

async function load(theirs: StateDict, hints: DiTHints = {}) {
  const recognised = recogniseDiT(shapesOf(theirs), hints)!;
  const mapped = mapCheckpoint(recognised.layout, ditParameterShapes(recognised.config), inMemory(theirs), 'the file');
  const ours: Record<string, StateDict[string]> = {};
  for await (const [name, tensor] of mapped.stream()) ours[name] = tensor;
  return { ...recognised, ours, unused: mapped.unused };
}

/** By fixture: the layout of its names, the same network under diffusers' names, and what diffusers' config says. */
const cases: [string, KeyMap, KeyMap][] = [
  ['facebook', facebookLayout, diffusersDiTLayout],
  ['pixart', pixartLayout, diffusersPixArtLayout],
];

describe.each(cases)('the weights of %s.json', (name, layout, diffusers) => {
  const { config, theirs } = fixture(name);
  const wanted = parseDiTConfig(config);
  const reference = fromStateDict(layout, ditParameterShapes(wanted), theirs);
  const hints = { heads: wanted.heads, objective: wanted.objective };

  it('are recognised under their own names, with the network that PyTorch ran', async () => {
    const { config: found, layout: whose, ours, unused } = await load(theirs, hints);
    expect(found).toEqual(wanted);
    expect(whose.name).toBe(layout.name);
    expect(ours).toEqual(reference);
    expect(unused).toEqual([]);
  });

  it("are recognised under diffusers' names, which lack positions", async () => {
    const { pos_embed: _, ...rest } = reference;
    const renamed = toStateDict(diffusers, rest);
    const {
      config: found,
      layout: whose,
      ours,
      unused,
    } = await load(renamed, { ...hints, inputSize: wanted.inputSize });
    expect(found).toEqual(wanted);
    expect(whose.name).toBe(diffusers.name);
    expect(unused).toEqual([]);
    const { pos_embed: positions, ...others } = ours;
    expect(others).toEqual(rest);
    expect(positions!.shape).toEqual(reference.pos_embed!.shape);
  });

  it("are read whole under diffusers' names, too, with positions that are computed", () => {
    const { pos_embed: _, ...rest } = reference;
    const renamed = toStateDict(diffusers, rest);
    const { layout: whose, config } = recogniseDiT(shapesOf(renamed), { ...hints, inputSize: wanted.inputSize })!;
    const { pos_embed: positions, ...others } = fromStateDict(whose, ditParameterShapes(config), renamed);
    expect(others).toEqual(rest);
    const computed = { data: whose.computed!.pos_embed!.compute([]), shape: reference.pos_embed!.shape, dtype: 'f32' };
    expect(positions).toEqual(computed);
    expect(toStateDict(whose, { pos_embed: positions!, ...others })).toEqual(renamed);
    const larger = ditParameterShapes({ ...config, inputSize: 2 * config.inputSize });
    expect(() => fromStateDict(whose, larger, renamed)).toThrow(
      `unfit pos_embed is computed with ${positions!.data.length} numbers, not [${larger.pos_embed!.join(', ')}].`,
    );
  });

  it('were trained on noise by steps, and other keys are named', async () => {
    const { config: found, unused } = await load(
      { ...theirs, 'lora.down': theirs.pos_embed! },
      { heads: wanted.heads },
    );
    expect(found.objective).toEqual({ prediction: 'epsilon', path: 'ddpm-linear' });
    expect(found).toMatchObject({ timeScale: 999, timeRounding: 'nearest', layerNormEps: 1e-6 });
    expect(unused).toEqual(['lora.down']);
  });

  it('that are missing or of another shape are one error', async () => {
    const [first, second] = ['blocks.0.attn.proj.bias', 'blocks.1.mlp.fc1.weight'] as const;
    const { [first]: _, ...rest } = theirs;
    const broken = {
      ...rest,
      [second]: { ...theirs[second]!, shape: [1, 2] },
      pos_embed: { ...theirs.pos_embed!, dtype: 'u8' } as const,
    };
    const message = await load(broken, hints).then(String, (error) => {
      expect(error).toBeInstanceOf(CheckpointError);
      return error.message as string;
    });
    expect(message).toContain(`the file does not fit the layout of ${layout.name}: missing ${first}; unfit `);
    expect(message).toContain('pos_embed is U8, not a float');
    expect(message).toContain(`${second} is [1, 2], not [32, 8]`);
  });
});

describe("diffusers' names", () => {
  // Written out from its classes, DiTTransformer2DModel and PixArtTransformer2DModel, for one block.
  const linearNames = (...names: string[]) => names.flatMap((name) => [`${name}.weight`, `${name}.bias`]);
  const attention = (name: string) =>
    linearNames(...['to_q', 'to_k', 'to_v', 'to_out.0'].map((each) => `${name}.${each}`));
  const sizes = { inputSize: 4, channels: 2, patchSize: 2, hiddenSize: 12, heads: 2, depth: 1, learnSigma: true };
  const namesOf = (map: KeyMap, config: object) =>
    Object.keys(ditParameterShapes(parseDiTConfig({ ...sizes, ...config })))
      .filter((name) => name !== 'pos_embed')
      .flatMap((name) => map.pieces(name).map(({ key }) => key))
      .sort();

  it('of a DiT', () => {
    const b = 'transformer_blocks.0';
    const emb = `${b}.norm1.emb`;
    expect(namesOf(diffusersDiTLayout, { modulation: 'zero', condition: { kind: 'label', classes: 3 } })).toEqual(
      [
        ...linearNames('pos_embed.proj', `${emb}.timestep_embedder.linear_1`, `${emb}.timestep_embedder.linear_2`),
        `${emb}.class_embedder.embedding_table.weight`,
        ...linearNames(`${b}.norm1.linear`, `${b}.ff.net.0.proj`, `${b}.ff.net.2`, 'proj_out_1', 'proj_out_2'),
        ...attention(`${b}.attn1`),
      ].sort(),
    );
  });

  it('of a PixArt', () => {
    const b = 'transformer_blocks.0';
    const emb = 'adaln_single.emb.timestep_embedder';
    expect(
      namesOf(diffusersPixArtLayout, { textProjection: 'mlp', condition: { kind: 'embeddings', width: 3 } }),
    ).toEqual(
      [
        ...linearNames('pos_embed.proj', `${emb}.linear_1`, `${emb}.linear_2`, 'adaln_single.linear'),
        ...linearNames('caption_projection.linear_1', 'caption_projection.linear_2', 'proj_out'),
        ...[`${b}.scale_shift_table`, 'scale_shift_table'],
        ...linearNames(`${b}.ff.net.0.proj`, `${b}.ff.net.2`),
        ...attention(`${b}.attn1`),
        ...attention(`${b}.attn2`),
      ].sort(),
    );
  });
});

describe('sizes', () => {
  const config = parseDiTConfig({
    inputSize: 4,
    channels: 2,
    patchSize: 2,
    hiddenSize: 128,
    heads: 2,
    depth: 2,
    condition: { kind: 'embeddings', width: 6 },
  });
  const shapes = ditParameterShapes(config);

  it("follow from the shapes of a released Paris expert's layout", () => {
    expect(recogniseDiT(shapes)).toMatchObject({ config, layout: { name: parisLayout.name } });
  });

  it('are not guessed', () => {
    const { pos_embed: _, ...rest } = toShapes(diffusersPixArtLayout, {
      ...shapes,
      ...{ 'text_proj.0.weight': [128, 6] },
    });
    expect(() => recogniseDiT(rest)).toThrow('so the size of the latents is not known. Say it, as inputSize.');
    const narrow = ditParameterShapes({ ...config, hiddenSize: 24 });
    expect(() => recogniseDiT(narrow)).toThrow(
      '[checkpoint] it looks like Paris, but a width of 24 does not tell the number of heads. Say it, as heads.',
    );
    expect(() => recogniseDiT(shapes, { inputSize: 8 })).toThrow('positions are for latents of 4, the config says 8');
    expect(() => recogniseDiT({ 'layers.0.attn.in_proj_weight': [3, 1] })).toThrow('but patch_embed.weight is missing');
  });

  it('of something else are none of ours', () => {
    expect(recogniseDiT({ 'model.diffusion_model.input_blocks.0.0.weight': [320, 4, 3, 3] })).toBeUndefined();
  });
});

const toShapes = (map: KeyMap, shapes: Readonly<Record<string, readonly number[]>>) =>
  Object.fromEntries(
    Object.entries(shapes).flatMap(([name, shape]) => {
      const pieces = map.pieces(name);
      return pieces.map(({ key }) => [key, [shape[0]! / pieces.length, ...shape.slice(1)]]);
    }),
  );

describe('parameters that are computed', () => {
  const pixart = (inputSize: number, extra: Record<string, readonly number[]> = {}) => {
    const config = parseDiTConfig({
      inputSize,
      channels: 1,
      patchSize: 2,
      hiddenSize: 12,
      heads: 2,
      depth: 1,
      textProjection: 'mlp',
      condition: { kind: 'embeddings', width: 3 },
    });
    const { pos_embed: _, ...shapes } = ditParameterShapes(config);
    return recogniseDiT({ ...toShapes(diffusersPixArtLayout, shapes), ...extra }, { heads: 2, inputSize })!;
  };

  it('positions are those that our network starts with; a grid beyond 512 px is stretched', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const positions = pixart(6).layout.computed!.pos_embed!.compute([]);
    const [expected] = await device!.run([sinCosPositions2d(12, 3, 3)]);
    const own = await expected!.read();
    expect(positions).toHaveLength(own.length);
    for (const [i, value] of positions.entries()) expect(value).toBeCloseTo(own[i]!, 5);
    const stretched = pixart(128).layout.computed!.pos_embed!.compute([]); // 64 × 64 tokens, places divided by 2
    for (let i = 0; i < 6; i++) expect(stretched[2 * 12 + i]).toBe(positions[12 + i]); // token 2 there is token 1 here
  });

  it('the size of a picture of 1024 px is added to the time', async (context) => {
    requireCapability(context, 'adapter', device !== undefined, 'WebGPU gives no adapter');
    const emb = 'adaln_single.emb';
    const layers = ['resolution_embedder', 'aspect_ratio_embedder'].flatMap((name) => [
      [`${emb}.${name}.linear_1.weight`, [4, 256]],
      [`${emb}.${name}.linear_1.bias`, [4]],
      [`${emb}.${name}.linear_2.weight`, [4, 4]],
      [`${emb}.${name}.linear_2.bias`, [4]],
    ]) as [string, number[]][];
    const { layout } = pixart(128, Object.fromEntries(layers));
    const computed = layout.computed!['time_embed.mlp.2.bias']!;
    expect(Object.keys(computed.from)).toEqual([
      `${emb}.timestep_embedder.linear_2.bias`,
      ...layers.map(([name]) => name),
    ]);
    const values = Object.values(computed.from).map((shape, k) => ({
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(7 * i + k)),
      shape,
      dtype: 'f32' as const,
    }));
    // The same, by the layers of our networks on a device.
    const [bias, ...rest] = values.map(({ data, shape }) => device!.tensor(data, { shape }) as Tensor);
    const tell = (pixels: number, [w0, b0, w1, b1]: readonly Tensor[]) =>
      linear(
        { weight: w1!, bias: b1! },
        silu(linear({ weight: w0!, bias: b0! }, timestepEmbedding(device!.tensor(Float32Array.of(pixels))))),
      );
    const [size, ratio] = await device!.run([tell(1024, rest.slice(0, 4)), tell(1, rest.slice(4))]);
    const [one, other] = [await size!.read(), await ratio!.read()];
    const expected = [...one, ...one, ...other].map((value, i) => value + values[0]!.data[i]!);
    for (const [i, value] of computed.compute(values).entries()) expect(value).toBeCloseTo(expected[i]!, 2);
    expect(await bias!.read()).toHaveLength(12);
  });
});
