// An expert that reads a text encoder's output, with a prompt encoder of one's own (here: letters as waves), in a project that
// has only what is published. And the same encoder as part of a model folder: an architecture with weights.
import { ditParameterShapes, parseDiTConfig } from '@paris/dit';
import { encodeJson, memoryStore } from '@paris/files';
import { writeSafetensors } from '@paris/files/safetensors';
import { defineArchitecture, type PromptEncoder, type TextEncoder, writeModelIndex } from '@paris/model';
import { loadPipeline } from '@paris/sampler';
import { hostNormal, key, openDevice } from '@paris/tensor';
import { type EmbeddingParams, embedding, embeddingParameters, initialiseParameters } from '@paris/tensor/nn';

const [length, width] = [6, 4];

/** Drawn weights of these shapes as a file. */
function weights(shapes: Readonly<Record<string, readonly number[]>>, seed: number): Uint8Array {
  const tensors = Object.entries(shapes).map(([name, shape], i) => {
    const data = hostNormal(
      key(seed).foldIn(i),
      shape.reduce((size, n) => size * n, 1),
    ).map((x) => x / 4);
    return [name, { dtype: 'f32' as const, shape, data }] as const;
  });
  return writeSafetensors(Object.fromEntries(tensors));
}

const config = {
  architecture: 'dit',
  ...{ inputSize: 4, channels: 3, patchSize: 2, hiddenSize: 8, depth: 1, heads: 2 },
  condition: { kind: 'embeddings', width },
};
const latent = { channels: 3, height: 4, width: 4 };
const folder = memoryStore();
await folder.write('experts/00/config.json', encodeJson(config));
await folder.write('experts/00/model.safetensors', weights(ditParameterShapes(parseDiTConfig(config)), 1));
await writeModelIndex(folder, { clusters: 1, latent, licence: 'MIT' });

const device = await openDevice();
const asked: string[][] = [];
const waves: PromptEncoder = {
  async encode(prompts) {
    asked.push([...prompts]);
    const values = prompts.flatMap((prompt) =>
      Array.from({ length: length * width }, (_, i) =>
        Math.sin((prompt.charCodeAt(Math.floor(i / width)) || 0) * (i + 1)),
      ),
    );
    const tokens = device.tensor(Float32Array.from(values), { shape: [prompts.length, length, width] });
    return { kind: 'embeddings', tokens };
  },
};

const draw = async (options: Parameters<typeof loadPipeline>[1]) => {
  const pipeline = await loadPipeline(folder, { device, ...options });
  const { images } = await pipeline.generate({
    prompts: ['red', 'blue'],
    seed: 3,
    steps: 2,
    guidance: 2,
    batchSize: 1,
  });
  await pipeline.close();
  return images.map(({ data }) => String(data));
};
const [red, blue] = await draw({ promptEncoder: waves });
if (red === blue) throw new Error('prompts change nothing');
if (JSON.stringify(asked) !== '[["red"],[""],["blue"],[""]]') throw new Error(`asked for ${JSON.stringify(asked)}`);

/** Letters looked up in a learned table. */
interface LetterParams {
  readonly letters: EmbeddingParams;
}
let tokenized: string[][] = [];
const letters = defineArchitecture({
  architecture: 'letters',
  parseConfig: () => ({}),
  create: (): TextEncoder<LetterParams> => ({
    init: (from) => initialiseParameters<LetterParams>(embeddingParameters('letters', 128, width), from),
    tokenize(prompts) {
      tokenized.push([...prompts]);
      const ids = prompts.flatMap((prompt) => Array.from({ length }, (_, i) => prompt.charCodeAt(i) % 128 || 0));
      return { ids: Uint32Array.from(ids), length };
    },
    encode: (params, { ids }) => ({ kind: 'embeddings', tokens: embedding(params.letters, ids) }),
  }),
});
await folder.write('text/config.json', encodeJson({ architecture: 'letters' }));
await folder.write('text/model.safetensors', weights({ 'letters.weight': [128, width] }, 2));
await writeModelIndex(folder, { clusters: 1, latent, licence: 'MIT' });
const [first, second] = await draw({ textEncoders: [letters] });
if (first === second || first === red) throw new Error('the text encoder of the model is not asked');
// The empty prompt is encoded once; the first call asks for a shape, when the model is loaded.
if (JSON.stringify(tokenized) !== '[[""],["red"],[""],["blue"]]')
  throw new Error(`tokenized ${JSON.stringify(tokenized)}`);
tokenized = [];
if ((await draw({ promptEncoder: waves, textEncoders: [letters] }))[0] !== red) throw new Error('two encoders at once');
if (tokenized.length > 0) throw new Error('a prompt encoder of the caller leaves the model’s own alone');
console.log('two text encoders: four pictures');
await device.close();
