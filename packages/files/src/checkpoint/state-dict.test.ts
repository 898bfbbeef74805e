import { describe, expect, it } from 'vitest';
import { chooseStateDict, TorchTensor, type TorchValue } from './state-dict.js';

const tensor = new TorchTensor({ key: '0', dtype: 'F32', elements: 1 }, 0, [], []);
const weights = { w: tensor, b: tensor };
type Tree = { [name: string]: TorchTensor | number | Tree };
const map = (tree: Tree): TorchValue =>
  new Map(
    Object.entries(tree).map(([name, value]) => [
      name,
      typeof value === 'number' || value instanceof TorchTensor ? value : map(value),
    ]),
  );

describe("the weights of a training's checkpoint", () => {
  const average = { v: tensor, c: tensor };
  it.each<[string, Tree, string | undefined, Tree]>([
    ['nothing else', weights, undefined, weights],
    ['weights and what is less', { ...weights, buffers: { mean: tensor } }, undefined, weights],
    ['a counter that is a tensor', { model: weights, ema: average, step: tensor }, 'ema', average],
    ['one tensor, and a counter', { model: { w: tensor }, step: tensor }, 'model', { w: tensor }],
    ['an average in a dictionary', { model: weights, ema: { decay: 0.999, params: average } }, 'ema', average],
    ['an average with a counter', { model: weights, ema: { steps: tensor, shadow: average } }, 'ema', average],
    ['no average', { schema: average, model: weights }, 'model', weights],
    ['an average of another name', { model: weights, 'model_ema-0.999': average }, 'model_ema-0.999', average],
    ['the older name', { params: weights, params_ema: average }, 'params_ema', average],
    ['a model of no known name', { lemma: weights, lr: 1 }, 'lemma', weights],
  ])('%s', (_, tree, key, wanted) => {
    const choice = chooseStateDict(map(tree));
    expect(choice.key).toBe(key);
    expect([...choice.tensors.keys()]).toEqual(Object.keys(wanted));
  });

  it('are those of the key, also of an average in a dictionary', () => {
    const root = map({ model: weights, ema: { params: average }, step: tensor });
    expect([...chooseStateDict(root, 'ema').tensors.keys()]).toEqual(['v', 'c']);
    expect([...chooseStateDict(root, 'model').tensors.keys()]).toEqual(['w', 'b']);
    expect(() => chooseStateDict(root, 'best')).toThrow('no tensors under "best", but under "model", "ema"');
  });
});
