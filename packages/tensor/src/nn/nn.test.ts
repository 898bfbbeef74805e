// Every layer against PyTorch's own: forward, and the gradient of every input and every parameter.
import { type Device, flattenTree, type Tensor, unflattenTree, valueAndGrad } from '../index.js';
import { hostTensor, relativeError, type StoredTensor } from '../testing/parity.js';
import { declareSuite } from '../testing/suite.js';
import * as nn from './index.js';

interface Sample {
  readonly attrs: Record<string, number>;
  readonly inputs: StoredTensor[];
  readonly outputs: [StoredTensor];
  readonly cotangents?: [StoredTensor];
  readonly gradients?: (StoredTensor | null)[];
  readonly params?: Record<string, StoredTensor>;
  readonly parameterGradients?: Record<string, StoredTensor>;
}
// A layer's parameters come from JSON: their type is what the layer says it is.
type Params = nn.LinearParams & nn.LayerNormParams & nn.MlpParams & nn.MultiHeadAttentionParams & nn.PatchEmbedParams;
type Layer = (params: Params, inputs: Tensor[], attrs: Sample['attrs']) => Tensor;

const layers: Record<string, Layer> = {
  linear: (params, [x]) => nn.linear(params, x!),
  layerNorm: (params, [x], { eps }) => nn.layerNorm(params, x!, { eps: eps! }),
  rmsNorm: (params, [x], { eps }) => nn.rmsNorm(params, x!, { eps: eps! }),
  groupNorm: (params, [x], { groups, eps }) => nn.groupNorm(params, x!, { groups: groups!, eps: eps! }),
  embedding: (params, [ids]) => nn.embedding(params, ids!),
  mlp: (params, [x]) => nn.mlp(params, x!),
  multiHeadAttention: (params, [x, context, mask], { heads }) =>
    nn.multiHeadAttention(params, x!, {
      heads: heads!,
      ...(context ? { context } : {}),
      ...(mask ? { mask } : {}),
    }),
  patchEmbed: (params, [x]) => nn.patchEmbed(params, x!),
  unpatchify: (_, [x], attrs) =>
    nn.unpatchify(x!, attrs as { patchSize: number; channels: number; height: number; width: number }),
  timestepEmbedding: (_, [t], { dimension }) => nn.timestepEmbedding(t!, dimension),
  sinCosPositions2d: (_, __, { dimension, height, width }) => nn.sinCosPositions2d(dimension!, height!, width!),
};

declareSuite({
  name: 'layers equal PyTorch',
  cases: Object.entries(layers).map(([name, layer]) => ({
    name,
    async run({ device, fixture }) {
      let compared = 0;
      for (const [i, sample] of fixture<{ samples: Sample[] }>(`nn/${name}`).samples.entries()) {
        compared += await compare(`${name}, sample ${i}`, device, layer, sample);
      }
      return { compared };
    },
  })),
});

/** How many elements were compared. */
async function compare(name: string, device: Device, layer: Layer, sample: Sample): Promise<number> {
  const { attrs, params = {}, parameterGradients = {}, gradients = [] } = sample;
  let compared = 0;
  const expectClose = async (what: string, actual: Tensor | undefined, expected: StoredTensor, tolerance: number) => {
    if (String(actual?.shape) !== String(expected.shape)) {
      throw new Error(`${name}: ${what} is [${actual?.shape}], expected [${expected.shape}].`);
    }
    const error = relativeError(await actual!.read(), expected);
    if (!(error < tolerance)) throw new Error(`${name}: ${what} is off by ${error}, where ${tolerance} is allowed.`);
    compared += expected.data.length;
  };
  const upload = (stored: StoredTensor) => device.tensor(hostTensor(stored).data, stored);
  const inputs = sample.inputs.map(upload);
  const tree = unflattenTree(Object.entries(params).map(([path, stored]) => ({ path, value: upload(stored) })));
  const output = layer(tree as unknown as Params, inputs, attrs);
  await device.run(output);
  // An f32 angle of 1000 is itself only good to 6e-5, PyTorch's as well.
  const tolerance = layer === layers.timestepEmbedding ? 2e-4 : 1e-5;
  await expectClose('the output', output, sample.outputs[0], tolerance);
  if (!sample.cotangents) return compared;

  const cotangent = upload(sample.cotangents[0]);
  const wanted = gradients.flatMap((gradient, i) => (gradient ? [i] : []));
  const [, found] = valueAndGrad(({ inputs: differentiated, params }: { inputs: Tensor[]; params: Params }) => {
    const all = inputs.map((input, i) => differentiated[wanted.indexOf(i)] ?? input);
    return layer(params, all, attrs).mul(cotangent).sum();
  })({ inputs: wanted.map((i) => inputs[i]!), params: tree as unknown as Params });
  await device.run(found);
  for (const [place, i] of wanted.entries()) {
    await expectClose(`the gradient of input ${i}`, found.inputs[place], gradients[i]!, 1e-4);
  }
  const byPath = new Map(flattenTree<Tensor>(found.params).map(({ path, value }) => [path, value]));
  const [paths, stored] = [[...byPath.keys()].sort(), Object.keys(parameterGradients).sort()];
  if (String(paths) !== String(stored)) throw new Error(`${name}: parameters are ${paths}, expected ${stored}.`);
  for (const [path, expected] of Object.entries(parameterGradients)) {
    await expectClose(`the gradient of ${path}`, byPath.get(path), expected, 1e-4);
  }
  return compared;
}
