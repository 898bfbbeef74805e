// Layers against PyTorch's own: forward, and the gradient of every input and every parameter.
import { type Device, flattenTree, type Tensor, unflattenTree, valueAndGrad } from '../index.js';
import { hostTensor, relativeError, type StoredTensor } from './parity.js';
import { declareSuite } from './suite.js';

/** What a layer was given and gave. Fixtures are made by tools/fixtures/nn.py. */
export interface LayerSample {
  readonly attrs: Record<string, number>;
  readonly inputs: StoredTensor[];
  readonly outputs: [StoredTensor];
  readonly cotangents?: [StoredTensor];
  readonly gradients?: (StoredTensor | null)[];
  readonly params?: Record<string, StoredTensor>;
  readonly parameterGradients?: Record<string, StoredTensor>;
}

export interface LayerCase<P> {
  readonly apply: (params: P, inputs: Tensor[], attrs: LayerSample['attrs']) => Tensor;
  /** Of the output, relative. Default 1e-5. */
  readonly tolerance?: number;
}

/** A case for each layer; its samples are the fixture `folder/NAME`. */
export function declareLayerSuite<P>(folder: string, layers: Record<string, LayerCase<P>>): void {
  declareSuite({
    name: 'layers equal PyTorch',
    cases: Object.entries(layers).map(([name, layer]) => ({
      name,
      async run({ device, fixture }) {
        let compared = 0;
        for (const [i, sample] of fixture<{ samples: LayerSample[] }>(`${folder}/${name}`).samples.entries()) {
          compared += await compare(`${name}, sample ${i}`, device, layer, sample);
        }
        return { compared };
      },
    })),
  });
}

/** How many elements were compared. */
async function compare<P>(
  name: string,
  device: Device,
  { apply, tolerance = 1e-5 }: LayerCase<P>,
  sample: LayerSample,
): Promise<number> {
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
  const output = apply(tree as unknown as P, inputs, attrs);
  await device.run(output);
  await expectClose('the output', output, sample.outputs[0], tolerance);
  if (!sample.cotangents) return compared;

  const cotangent = upload(sample.cotangents[0]);
  const wanted = gradients.flatMap((gradient, i) => (gradient ? [i] : []));
  const [, found] = valueAndGrad(({ inputs: differentiated, params }: { inputs: Tensor[]; params: P }) => {
    const all = inputs.map((input, i) => differentiated[wanted.indexOf(i)] ?? input);
    return apply(params, all, attrs).mul(cotangent).sum();
  })({ inputs: wanted.map((i) => inputs[i]!), params: tree as unknown as P });
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
