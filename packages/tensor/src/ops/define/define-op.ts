// Ops from outside that are more than a function of elements: written in other ops, or with a kernel of their own.

import { ShapeError, ValueError } from '../../errors.js';
import type { GeneratedKernel } from '../../graph/kernel.js';
import type { Attributes, Type } from '../../graph/node.js';
import type { HostElements, NoGradient, TiledContext } from '../../graph/op.js';
import { showShape } from '../../graph/shape.js';
import { isContiguous } from '../../graph/strided.js';
import { isLeafTensor, type Tensor } from '../../tensor.js';
import { zeros } from '../creation/constant.js';
import { type Named, named, type OpHandle, requireNames } from './names.js';
import { applyAll, composite, type GradientContext, requireTensor, tiled } from './op.js';

/** A value that is compiled into a graph: finite numbers, strings, booleans, lists of these. */
export type OpAttributes = { readonly [name: string]: AttributeValue };
/** What an op may depend on in addition to its inputs: part of the plan, so it is compiled in. */
export type AttributeValue = number | string | boolean | readonly AttributeValue[];

/** One type for an op with one result, a list for one with several. */
export type Results = Type | readonly Type[];
/** One T for each result. */
export type Each<R extends Results, T> = R extends readonly Type[] ? { readonly [K in keyof R]: T } : T;

/** What both kinds of op say. */
export interface OpDefinition<Names extends readonly string[], A extends OpAttributes, R extends Results> {
  /** For messages and labels. Two ops may have one name. */
  readonly name: string;
  /** The inputs' names, in the order of the arguments. */
  readonly inputs: Names;
  /** The attributes with their defaults. */
  readonly attributes?: A;
  /** Shape and dtype of the results. Throw ShapeError or DTypeError for inputs that do not fit. */
  readonly infer: (inputs: Named<Names, Type>, attributes: A) => R;
  /** Gradients, one for each input in their order, in tensor operations; undefined for an input that has none. */
  readonly vjp:
    | ((
        context: Named<Names, Tensor> & { readonly output: Each<R, Tensor>; readonly cotangent: Each<R, Tensor> },
        attributes: A,
      ) => { readonly [K in keyof Names]: Tensor | undefined })
    | NoGradient;
}

/** An op written in other ops, with a gradient that is better than theirs. */
export interface CompositeDefinition<Names extends readonly string[], A extends OpAttributes, R extends Results>
  extends OpDefinition<Names, A, R> {
  /** The results in other ops, with the shapes and dtypes that `infer` gave. */
  readonly decompose: (inputs: Named<Names, Tensor>, attributes: A) => Each<R, Tensor>;
}

/** An op with a kernel of its own, and the same in plain JavaScript. */
export interface KernelDefinition<Names extends readonly string[], A extends OpAttributes, R extends Results>
  extends OpDefinition<Names, A, R> {
  /** The kernel for the shapes of the context and these attributes. */
  readonly kernel: (context: KernelContext<Names>, attributes: A) => Kernel;
  /** The elements of each result, in row-major order: what the kernel is checked against. */
  readonly reference: (inputs: Named<Names, HostElements>, attributes: A) => Each<R, ArrayLike<number>>;
}

/** What a kernel is written for. The functions give WGSL. */
export interface KernelContext<Names extends readonly string[]> {
  readonly inputs: Named<Names, Type>;
  readonly outputs: readonly Type[];
  /** Whether the adapter runs on the CPU, where workgroup memory is no faster than storage. */
  readonly software: boolean;
  /** An expression of an input's element at a row-major index (u32); floats are f32. */
  read(input: Names[number], index: string): string;
  /** A statement that stores an element of a result, of type f32 for floats, and computes what was fused behind it. */
  store(index: string, value: string, output?: number): string;
  /** An expression (u32) of a size that is uploaded with each call, so that sizes share a pipeline. */
  uniform(value: number): string;
}

/**
 * WGSL of a compute shader without its bindings. The body may use `workgroup_id` and `local_id` (vec3u) and
 * `local_index` (u32). Names such as in0, out0, f0, finish0, words and main belong to the compiler.
 */
export interface Kernel {
  /** Statements. */
  readonly body: string;
  /** Module scope: constants, functions, workgroup variables. */
  readonly declarations?: string;
  readonly workgroupSize: readonly [number, number, number];
  /** How many workgroups to dispatch, at most 65,535 along each axis. */
  readonly workgroups: readonly [number, number, number];
}

/** The inputs in order, then attributes that differ from their defaults. */
export interface DefinedOp<Names extends readonly string[], A extends OpAttributes, R extends Results> {
  (...args: [...inputs: { [K in keyof Names]: Tensor }, attributes?: Partial<A>]): Each<R, Tensor>;
  readonly op: OpHandle;
}

/**
 * Defines an op in other ops, with its own gradient (`decompose`), or one with its own kernel (`kernel` and
 * `reference`). Write `infer` before the functions that return results: their types follow from it.
 *
 * @example
 * const rmsNorm = defineOp({
 *   name: 'rmsNorm',
 *   inputs: ['x'],
 *   attributes: { eps: 1e-6 },
 *   infer: ({ x }) => x,
 *   decompose: ({ x }, { eps }) => x.mul(rsqrt(x.square().mean(-1, { keepDims: true }).add(eps))),
 *   vjp({ x, cotangent }, { eps }) {
 *     const scale = rsqrt(x.square().mean(-1, { keepDims: true }).add(eps));
 *     const along = cotangent.mul(x).mean(-1, { keepDims: true }).mul(scale.square());
 *     return [cotangent.sub(x.mul(along)).mul(scale)];
 *   },
 * });
 *
 * @throws ValueError if a name cannot be used; when it is applied, ShapeError if the parts are not what `infer` says
 */
export function defineOp<
  const Names extends readonly string[],
  A extends OpAttributes = Record<never, never>,
  const R extends Results = Type,
>(definition: CompositeDefinition<Names, A, R> | KernelDefinition<Names, A, R>): DefinedOp<Names, A, R> {
  const { name, inputs: names } = definition;
  requireNames(name, names);
  const common = { name, infer, vjp: typeof definition.vjp === 'function' ? pullBack : definition.vjp };
  const op =
    'decompose' in definition
      ? composite({
          ...common,
          decompose(inputs, attributes) {
            const parts = listed<Tensor>(definition.decompose(named(names, inputs), attributes as A));
            const show = (list: readonly Type[]) => list.map(({ shape }) => showShape(shape)).join(' ');
            const [given, said] = [show(parts), show(infer(inputs, attributes))];
            if (given === said) return parts;
            throw new ShapeError(name, `decompose gives ${given}, and infer says ${said}. Change one of them.`);
          },
        })
      : tiled({
          ...common,
          windows: isContiguous,
          generate: (context) => generate(definition, context),
          interpret: (inputs, attributes) => {
            const results = definition.reference(named(names, inputs), attributes as A);
            return (hasOneResult(inputs, attributes) ? [results] : results) as readonly ArrayLike<number>[];
          },
        });

  function infer(inputs: readonly Type[], attributes: Attributes): Type[] {
    const types = definition.infer(named(names, inputs), attributes as A);
    return listed<Type>(types).map(({ shape, dtype }) => ({ shape, dtype }));
  }
  function pullBack({ inputs, outputs, cotangents, attributes }: GradientContext) {
    const each = (tensors: readonly Tensor[]) =>
      (hasOneResult(inputs, attributes) ? tensors[0] : tensors) as Each<R, Tensor>;
    const cotangent = each(outputs.map(({ shape }, i) => cotangents[i] ?? zeros(shape)));
    const vjp = definition.vjp as Exclude<typeof definition.vjp, NoGradient>;
    return vjp({ ...named(names, inputs), output: each(outputs), cotangent }, attributes as A);
  }
  function hasOneResult(inputs: readonly Type[], attributes: Attributes): boolean {
    return !Array.isArray(definition.infer(named(names, inputs), attributes as A));
  }
  function call(...args: readonly unknown[]): Each<R, Tensor> {
    const inputs = names.map((_, i) => requireTensor(name, args[i]));
    const attributes = attributesOf(name, definition.attributes ?? {}, args[names.length] ?? {});
    const results = applyAll(op, inputs, attributes);
    return (hasOneResult(inputs, attributes) ? results[0] : results) as Each<R, Tensor>;
  }
  return Object.assign(call, { op });
}

function generate<Names extends readonly string[], A extends OpAttributes, R extends Results>(
  definition: KernelDefinition<Names, A, R>,
  { adapter, attributes, inputs, outputs, operand, uniform, store }: TiledContext,
): GeneratedKernel {
  const { inputs: names } = definition;
  const offsets = new Map<string, string>();
  return definition.kernel(
    {
      inputs: named(names, inputs),
      outputs,
      software: adapter.software,
      read(input, index) {
        const { element, window } = operand(names.indexOf(input));
        if (window.offset > 0 && !offsets.has(input)) offsets.set(input, uniform(window.offset).wgsl);
        const offset = offsets.get(input);
        return element(offset ? `${offset} + (${index})` : index);
      },
      store: (index, value, output = 0) => store(output, index, value),
      uniform: (value) => uniform(value).wgsl,
    },
    attributes as A,
  );
}

/** Attributes with the defaults filled in: finite, since they are compiled in and compared as JSON. */
function attributesOf(op: string, defaults: OpAttributes, given: unknown): OpAttributes {
  if (typeof given !== 'object' || isLeafTensor(given)) {
    const got = isLeafTensor(given) ? 'another tensor' : `a ${typeof given}`;
    throw new ValueError(op, `after its inputs come attributes by name, got ${got}. ${known(defaults)}`);
  }
  for (const [name, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(defaults, name)) throw new ValueError(op, `there is no attribute ${name}. ${known(defaults)}`);
    requireAttribute(op, name, value);
  }
  return { ...defaults, ...(given as OpAttributes) };
}

function known(defaults: OpAttributes): string {
  const names = Object.keys(defaults);
  return names.length === 0 ? 'It has none.' : `It has ${names.join(', ')}.`;
}

function requireAttribute(op: string, name: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) requireAttribute(op, name, item);
  else if (typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value)) {
    throw new ValueError(op, `attribute ${name} must be a finite number, a string or a boolean, got ${value}.`);
  }
}

function listed<T>(one: T | readonly T[]): T[] {
  return Array.isArray(one) ? [...one] : [one as T];
}
