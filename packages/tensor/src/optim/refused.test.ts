// Options of optimizers that would end in NaN or in another direction steps later.
import { expect, it } from 'vitest';
import { useDevice } from '../testing/use-device.testing.js';
import {
  adamw,
  clipByGlobalNorm,
  constant,
  cosineDecay,
  dynamicLossScale,
  inPrecision,
  linear,
  muon,
  sgd,
} from './index.js';

const device = useDevice();

it('a precision that there is not is refused', (context) => {
  expect(() => inPrecision('f16' as 'f32', sgd({ learningRate: 1 }), device(context))).toThrow(
    '[precision] the precision is "f16". Give "f32" or "mixed-f16".',
  );
});

it('numbers that mean nothing are refused by name', () => {
  const learningRate = 1e-3;
  const refused: [() => unknown, string][] = [
    [() => adamw({ learningRate, beta1: 1 }), '[adamw] beta1 is 1. Give a number from 0 to below 1.'],
    [() => adamw({ learningRate, beta2: 1 }), '[adamw] beta2 is 1.'],
    [() => adamw({ learningRate, beta1: -0.1 }), '[adamw] beta1 is -0.1.'],
    [() => adamw({ learningRate, eps: Number.NaN }), '[adamw] eps is NaN. Give a number from 0 on.'],
    [() => adamw({ learningRate, weightDecay: -1 }), '[adamw] weightDecay is -1.'],
    [() => adamw({ learningRate: -1 }), '[optimizer] the learning rate is -1.'],
    [() => adamw({ learningRate, beta1: '0.9' as never }), '[adamw] beta1 is 0.9.'],
    [() => sgd({ learningRate, momentum: 1 }), '[sgd] momentum is 1.'],
    [() => sgd({ learningRate, weightDecay: Number.POSITIVE_INFINITY }), '[sgd] weightDecay is Infinity.'],
    [() => muon({ learningRate, momentum: 2, adamw: { learningRate } }), '[muon] momentum is 2.'],
    [
      () => muon({ learningRate, iterations: 0, adamw: { learningRate } }),
      '[muon] iterations is 0. Give a whole number',
    ],
    [() => muon({ learningRate, adamw: { learningRate, beta2: 1 } }), '[muon] beta2 is 1.'],
    [() => clipByGlobalNorm(-1), '[clipByGlobalNorm] maxNorm is -1. Give a number above 0.'],
    [() => clipByGlobalNorm(0), '[clipByGlobalNorm] maxNorm is 0.'],
    [() => clipByGlobalNorm(Number.NaN), '[clipByGlobalNorm] maxNorm is NaN.'],
    [() => dynamicLossScale(sgd({ learningRate }), { initial: 0 }), '[dynamicLossScale] initial is 0.'],
    [
      () => dynamicLossScale(sgd({ learningRate }), { growthInterval: 0.5 }),
      '[dynamicLossScale] growthInterval is 0.5.',
    ],
    [() => constant(Number.NaN), '[constant] rate is NaN. Give a finite number.'],
    [() => constant(1, { warmupSteps: -1 }), '[constant] warmupSteps is -1.'],
    [() => linear(1, Number.POSITIVE_INFINITY, 10), '[linear] to is Infinity.'],
    [() => linear(1, 0, -1), '[linear] steps is -1. Give a whole number from 0 on.'],
    [() => cosineDecay(1, 1.5), '[cosineDecay] steps is 1.5.'],
    [() => cosineDecay(1, 10, { warmupSteps: -1 }), '[cosineDecay] warmupSteps is -1.'],
  ];
  for (const [call, message] of refused) expect(call, message).toThrow(message);
  clipByGlobalNorm(Number.POSITIVE_INFINITY); // leaves gradients as they are
});
