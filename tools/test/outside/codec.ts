// A codec with parameters, in a project that has only what is published: patches of 2 × 2 pixels by linear layers, as a model
// folder's codec/{config.json, model.safetensors}.
import { ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { encodeJson, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { type Codec, defineArchitecture, writeModelIndex } from '@paris/model';
import { type PatchEmbedParams, patchEmbed, patchEmbedParameters, unpatchify } from '@paris/model/transformer';
import { loadPipeline } from '@paris/sampler';
import { hostNormal, key, openDevice } from '@paris/tensor';
import { initialiseParameters, type LinearParams, linear, linearParameters, shapesOf } from '@paris/tensor/nn';

interface PatchParams {
  readonly encode: PatchEmbedParams;
  readonly decode: LinearParams;
}

const parameters = (channels: number) => ({
  ...patchEmbedParameters('encode', 3, 2, channels),
  ...linearParameters('decode', channels, 12),
});

const patchCodec = defineArchitecture({
  architecture: 'patch-codec',
  parseConfig(json: unknown): { readonly channels: number } {
    const { channels } = json as { channels?: unknown };
    if (typeof channels === 'number' && channels > 0) return { channels };
    throw new Error(`[patch-codec] channels must be a number from 1 on, got ${channels}.`);
  },
  create: ({ channels }): Codec<PatchParams> => ({
    latentShape: ({ height, width }) => ({ channels, height: height / 2, width: width / 2 }),
    init: (from) => initialiseParameters<PatchParams>(parameters(channels), from),
    encode(params, images) {
      const [batch = 0, , height = 0, width = 0] = images.shape;
      const patches = patchEmbed(params.encode, images); // [B, h·w, C]
      return patches.transpose().reshape([batch, channels, height / 2, width / 2]);
    },
    decode(params, latents) {
      const [batch = 0, , height = 0, width = 0] = latents.shape;
      const patches = linear(params.decode, latents.reshape([batch, channels, height * width]).transpose());
      return unpatchify(patches, { patchSize: 2, channels: 3, height: 2 * height, width: 2 * width });
    },
  }),
});

/** Drawn weights of these shapes as a file. */
function weights(shapes: Readonly<Record<string, readonly number[]>>, seed: number): Uint8Array {
  const tensors = Object.entries(shapes).map(([name, shape], i) => {
    const data = hostNormal(
      key(seed).foldIn(i),
      shape.reduce((size, n) => size * n, 1),
    ).map((x) => x / 5);
    return [name, { dtype: 'f32' as const, shape, data }] as const;
  });
  return writeSafetensors(Object.fromEntries(tensors));
}

const config = {
  architecture: 'dit',
  ...{ inputSize: 4, channels: 5, patchSize: 2, hiddenSize: 8, depth: 1, heads: 2, condition: { kind: 'none' } },
};
const latent = { channels: 5, height: 4, width: 4 };
const folder = memoryStore();
await folder.write('experts/00/config.json', encodeJson(config));
await folder.write('experts/00/model.safetensors', weights(ditParameterShapes(parseDiTConfig(config)), 1));
await folder.write('codec/config.json', encodeJson({ architecture: 'patch-codec', channels: 5 }));
await folder.write('codec/model.safetensors', weights(shapesOf(parameters(5)), 2));
await writeModelIndex(folder, { clusters: 1, latent, codec: 'patch-codec', licence: 'MIT' });

const device = await openDevice();
const pipeline = await loadPipeline(folder, { device, codecs: [patchCodec] });
const { images } = await pipeline.generate({ steps: 2, count: 2 });
await pipeline.close();
const sizes = images.map(({ width, height }) => `${width} × ${height}`);
if (sizes.join() !== '8 × 8,8 × 8') throw new Error(`latents of 4 × 4 became pictures of ${sizes}`);

// Other weights of the codec are other pictures of the same latents.
await folder.write('codec/model.safetensors', weights(shapesOf(parameters(5)), 3));
await writeModelIndex(folder, { clusters: 1, latent, codec: 'patch-codec', licence: 'MIT' });
const changed = await loadPipeline(folder, { device, codecs: [patchCodec] });
const others = await changed.generate({ steps: 2, count: 2 });
await changed.close();
if (String(others.images[0]!.data) === String(images[0]!.data))
  throw new Error('the weights of the codec are not used');

// Its weights are checked as an expert's, and nobody who lacks the code loads it.
await folder.write('codec/model.safetensors', weights(shapesOf(parameters(4)), 3));
await writeModelIndex(folder, { clusters: 1, latent, codec: 'patch-codec', licence: 'MIT' });
const refusals = [
  { options: { codecs: [patchCodec] }, says: 'codec: wrong shapes: decode.weight is [12, 4], not [12, 5]' },
  {
    options: {},
    says: 'codec/config.json asks for the architecture "patch-codec". Known: "identity", "autoencoder-kl", "tiny-autoencoder".',
  },
];
for (const { options, says } of refusals) {
  const refused = await loadPipeline(folder, { device, ...options }).catch((error: unknown) => error);
  if (!String(refused).includes(says)) throw new Error(`expected "${says}", got "${refused}"`);
}

// Traced like everything: pictures → latents → pictures in one compiled call.
const codec = patchCodec.create({ channels: 5 });
const roundTrip = device.compile((params: PatchParams, noise: ReturnType<typeof device.tensor>) =>
  codec.decode(params, codec.encode(params, noise)),
);
const params = await device.run(codec.init(key(0)));
const pictures = device.tensor(hostNormal(key(4), 3 * 64), { shape: [1, 3, 8, 8] });
console.log(`a codec with parameters: ${(await roundTrip(params, pictures)).shape.join(' × ')}`);
await device.close();
