// What all optimizers share: the state of a training, and the way from trees of tensors to one packed tensor and back.
// An update rule sees every parameter as one flat tensor, so a step is a few dispatches however many
// parameters a model has.
import { ValueError } from '../errors.js';
import type { Shape } from '../graph/shape.js';
import { full, zeros } from '../ops/creation/constant.js';
import { pack, unpack } from '../ops/pack.js';
import { isLeafTensor, type Tensor } from '../tensor.js';
import { flattenTree, mapTree } from '../tree.js';

/** A training between two steps: a tree of tensors, so that it can be run, donated, saved and loaded like any other. */
export interface TrainState<P> {
  /** The parameters, f32. */
  params: P;
  /** How many updates were made: u32 []. */
  step: Tensor;
  /** What the optimizer keeps: packed tensors, `{ m, v }` of AdamW, say, and numbers. */
  optimizer: Moments;
}

/** Packed tensors [N] and numbers [] of an update rule, by name. */
export type Moments = { [name: string]: Tensor };

/** What a rule is given: everything packed in the order of paths, [N], and the updates made so far, f32 []. */
export interface PackedStep {
  readonly params: Tensor;
  readonly gradients: Tensor;
  readonly moments: Moments;
  readonly step: Tensor;
  /** The parameters in the packed tensors, in their order. */
  readonly parts: readonly ParameterPart[];
}

/** One parameter of a packed tensor. */
export interface ParameterPart {
  readonly path: string;
  readonly shape: Shape;
}

/** From parameters and gradients to new parameters. */
export interface UpdateRule {
  /** The names of the packed tensors that the rule keeps; each begins as zeros. */
  readonly keeps: readonly string[];
  /** The numbers that it keeps, f32 [], with what they begin. */
  readonly numbers?: Readonly<Record<string, number>> | undefined;
  /** One step: new parameters [N] and all that the rule keeps. */
  update(step: PackedStep): PackedUpdate;
}

/** What a rule gives back. */
export interface PackedUpdate {
  readonly params: Tensor;
  readonly moments: Moments;
  /** bool []: whether this was a step at all; it is, unless the rule says otherwise. */
  readonly taken?: Tensor | undefined;
}

/** Changes packed gradients, [N] → [N], before a rule sees them, like clipping. */
export type GradientTransform = (gradients: Tensor) => Tensor;

/** Makes a training of parameters and takes its steps. Pure and lazy: it builds graphs, and `device.compile` runs them. */
export interface Optimizer {
  readonly rule: UpdateRule;
  /** The state before the first step. */
  init<P>(params: P): TrainState<P>;
  /**
   * The state after one more step. `gradients` is a tree of the parameters' form, as `grad` gives it.
   * @throws ValueError if the trees differ.
   */
  update<P>(state: TrainState<P>, gradients: P): TrainState<P>;
}

/** An optimizer of a rule. */
export function optimizerOf(rule: UpdateRule): Optimizer {
  return {
    rule,
    init(params) {
      const packed = packTree(params);
      const moments = rule.keeps.map((name) => [name, zeros([packed.size])] as const);
      const numbers = Object.entries(rule.numbers ?? {}).map(([name, value]) => [name, full([], value)] as const);
      // Packed from the start: no step has to gather parameters that lie apart.
      return {
        params: unpackTree(packed, params),
        step: zeros([], 'u32'),
        optimizer: Object.fromEntries([...moments, ...numbers]),
      };
    },
    update(state, gradients) {
      requireSameForm(state.params, gradients);
      const { params, moments, taken } = rule.update({
        params: packTree(state.params),
        gradients: packTree(gradients),
        moments: state.optimizer,
        step: state.step.cast('f32'), // exact up to 2²⁴ steps
        parts: flattenTree(state.params, isLeafTensor).map(({ path, value }) => ({ path, shape: value.shape })),
      });
      const step = state.step.add(taken ? taken.cast('u32') : 1);
      return { params: unpackTree(params, state.params), step, optimizer: moments };
    },
  };
}

/** Gradient transforms, then an optimizer: `chain(clipByGlobalNorm(1), adamw({ … }))`. */
export function chain(...parts: [...GradientTransform[], Optimizer]): Optimizer {
  const transforms = parts.slice(0, -1) as GradientTransform[];
  const { rule } = parts.at(-1) as Optimizer;
  return optimizerOf({
    ...rule,
    update: (step) => {
      const gradients = transforms.reduce((current, transform) => transform(current), step.gradients);
      return rule.update({ ...step, gradients });
    },
  });
}

/** The tensors of a tree as one, in the order of their paths. */
export function packTree(tree: unknown): Tensor {
  return pack(flattenTree(tree, isLeafTensor).map(({ value }) => value));
}

/** The parts of a packed tensor as a tree of the form of `like`. */
export function unpackTree<P>(packed: Tensor, like: P): P {
  const entries = flattenTree(like, isLeafTensor);
  const shapes = entries.map(({ value }) => value.shape);
  const parts = new Map(unpack(packed, shapes).map((part, i) => [entries[i]!.path, part]));
  return mapTree(like, (_: Tensor, path) => parts.get(path)!, isLeafTensor) as P;
}

/** @throws ValueError, naming the first difference, if two trees have other paths or shapes. */
export function requireSameForm(params: unknown, other: unknown): void {
  const describe = (tree: unknown) =>
    flattenTree(tree, isLeafTensor).map(({ path, value }) => `${path} [${value.shape}]`);
  const [want, got] = [describe(params), describe(other)];
  const at = want.findIndex((line, i) => line !== got[i]);
  if (at < 0 && want.length === got.length) return;
  const [wanted, given] = at < 0 ? ['nothing', got[want.length]] : [want[at], got[at] ?? 'nothing'];
  throw new ValueError('optimizer', `the trees differ: got ${given} where the parameters have ${wanted}.`);
}
