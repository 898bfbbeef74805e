// Ops of a user's own, in a project that has only what is published: plain tsc, no build step.
import { defineOp, elementwise, noGradient, openDevice, sigmoid, type Tensor } from '@paris/tensor';
import { CheckError, checkOp, elementwiseSamples, sample } from '@paris/tensor/testing';

const softplus = elementwise({
  name: 'softplus',
  inputs: ['x'],
  wgsl: 'max(x, 0) + log(1 + exp(-abs(x)))',
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  vjp: ({ x, cotangent }) => [cotangent.mul(sigmoid(x))],
});

/** Three inputs and two dtypes: a + t · (b − a). */
const mix = elementwise({
  name: 'mix',
  inputs: ['a', 'b', 't'],
  wgsl: 'mix(a, b, t)',
  reference: (a, b, t) => a + t * (b - a),
  vjp: ({ a, b, t, cotangent }) => [cotangent.mul(t.rsub(1)), cotangent.mul(t), cotangent.mul(b.sub(a))],
});

/** Rows of x divided by their sum. */
const shares = defineOp({
  name: 'shares',
  inputs: ['x'],
  attributes: { floor: 0.5 },
  infer: ({ x }) => x,
  decompose: ({ x }, { floor }) => x.div(x.sum(-1, { keepDims: true }).add(floor)),
  vjp({ x, output, cotangent }, { floor }) {
    const total = x.sum(-1, { keepDims: true }).add(floor);
    return [cotangent.sub(cotangent.mul(output).sum(-1, { keepDims: true })).div(total)];
  },
});

const device = await openDevice();
const points = sample.values([-12, -1, 0, 0.5, 7]);
const reports = [
  await checkOp(softplus, { device, samples: elementwiseSamples([sample.call([points])]) }),
  await checkOp(mix, {
    device,
    samples: elementwiseSamples([sample.call([points, points, sample.values([0, 0.25, 1])])]),
    // WGSL may mix as a · (1 − t) + b · t, which cancels for large t and differs where one is infinite.
    edges: { infinities: { none: 'WGSL leaves the formula open' }, offset: { none: 'large shares cancel' } },
  }),
  await checkOp(shares, { device, samples: [sample.call([sample.uniform([5, 17], 1)], { floor: 1 })] }),
];
for (const { op, compared } of reports) {
  if (compared.gradient === 0 || compared.differences === 0) throw new Error(`no gradient of ${op} was compared`);
  console.log(op, compared.forward, compared.gradient, compared.differences);
}

const step = device.compile((x: Tensor) => mix(softplus(x), x, 0.5));
console.log(await (await step(device.tensor([1, 2, 3]))).read());

// The checks find what is wrong.
const wrong = elementwise({
  name: 'wrong',
  inputs: ['x'],
  wgsl: 'x * 1.01',
  reference: (x) => x,
  vjp: noGradient('it is wrong'),
});
const found = await checkOp(wrong, { device, samples: [sample.call([points])] }).catch((error: unknown) => error);
if (!(found instanceof CheckError)) throw new Error('checkOp passed an op that is wrong');

// What does not type-check must not.
// @ts-expect-error two arguments are missing
const few = () => mix(1);
// @ts-expect-error there is no such attribute
const unknown = (x: Tensor) => shares(x, { roof: 1 });
// @ts-expect-error a gradient is missing
elementwise({ name: 'half', inputs: ['a', 'b'], wgsl: 'a', reference: (a) => a, vjp: ({ cotangent }) => [cotangent] });
void [few, unknown];
await device.close();
