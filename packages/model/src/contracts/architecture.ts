// From a config.json to a network, by name. The built-in architectures are known to what loads models, others are handed
// over; nothing is registered globally.
import { CheckpointError } from '@paris/files';
import { type Key, type Tensor, type TensorKey, type TreeOf, type TreeShape, ValueError } from '@paris/tensor';
import type { Codec } from './codec.js';
import type { Expert } from './expert.js';
import type { Router } from './router.js';
import type { TextEncoder } from './text.js';

/** What every network has: parameters, a plain tree of tensors whose paths are the keys of its safetensors file. */
export interface Network<P = TreeOf<Tensor>> {
  /** Fresh parameters, drawn from a key; lazy, so their shapes are known before anything runs. */
  init(key: Key | TensorKey): P;
}

/** A kind of network, by the name in config.json. Its parameters are seen as a plain tree. */
export interface Architecture<N> {
  /** Its name in config.json: lower-case words joined by hyphens. */
  readonly architecture: string;
  /** Files next to config.json without which the network cannot be made: `tokenizer.json`. Default none. */
  readonly companions?: readonly string[];
  /** The network that the contents of a config.json describe. Throws an error that lists every problem. */
  fromConfig(json: unknown, companions?: Companions): N;
}

/** An {@link Architecture} whose code is loaded where a model names it. */
export interface LazyArchitecture<N> {
  /** See {@link Architecture}. */
  readonly architecture: string;
  /** Loads the code. */
  load(): Promise<Architecture<N>>;
}

/** The bytes of a network's companion files, by name; those that are not there are left out. */
export type Companions = Readonly<Record<string, Uint8Array>>;

/** What an architecture says of itself to {@link defineArchitecture}. */
export interface ArchitectureDefinition<C, N> {
  readonly architecture: string;
  /** See {@link Architecture}. */
  readonly companions?: readonly string[];
  /** Checks outside data and fills in defaults. Throws an error that lists every problem. */
  parseConfig(json: unknown): C;
  /** The network of a checked config. It holds no weights. */
  create(config: C, companions: Companions): N;
}

/** An architecture whose config and parameter types are known: `N` is the network as it was made, `A` as loaders see it. */
export interface DefinedArchitecture<C, N, A> extends Architecture<A> {
  /** See {@link ArchitectureDefinition}. */
  parseConfig(json: unknown): C;
  /** The network of a checked config. */
  create(config: C, companions?: Companions): N;
}

/**
 * Makes an architecture of an expert, a router, a codec or a text encoder.
 * @example
 * const mlpMixer = defineArchitecture({ architecture: 'mlp-mixer', parseConfig: mixerConfig.parse, create: createMixer });
 * await loadPipeline('./model', { architectures: [mlpMixer] });
 * @throws ValueError if the name is not lower-case words joined by hyphens
 */
export function defineArchitecture<C, P extends TreeShape<P, Tensor>>(
  definition: ArchitectureDefinition<C, Expert<P>>,
): DefinedArchitecture<C, Expert<P>, Expert>;
export function defineArchitecture<C, P extends TreeShape<P, Tensor>>(
  definition: ArchitectureDefinition<C, Router<P>>,
): DefinedArchitecture<C, Router<P>, Router>;
export function defineArchitecture<C, P extends TreeShape<P, Tensor>>(
  definition: ArchitectureDefinition<C, Codec<P>>,
): DefinedArchitecture<C, Codec<P>, Codec>;
export function defineArchitecture<C, P extends TreeShape<P, Tensor>>(
  definition: ArchitectureDefinition<C, TextEncoder<P>>,
): DefinedArchitecture<C, TextEncoder<P>, TextEncoder>;
export function defineArchitecture<C, N>(
  definition: ArchitectureDefinition<C, N>,
): DefinedArchitecture<C, N, AnyNetwork> {
  const { architecture, companions, parseConfig } = definition;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(architecture)) {
    throw new ValueError(
      'defineArchitecture',
      `the architecture's name is in config.json: lower-case words joined by hyphens, got "${architecture}".`,
    );
  }
  const create = (config: C, files: Companions = {}) => definition.create(config, files);
  // The one place that forgets the type of the parameters: code that loads a checkpoint compares its keys and shapes
  // with those of init() first.
  const fromConfig = (json: unknown, files?: Companions) => create(parseConfig(json), files) as unknown as AnyNetwork;
  return { architecture, ...(companions && { companions }), parseConfig, create, fromConfig };
}

type AnyNetwork = Expert | Router | Codec | TextEncoder;

/**
 * The architecture that a config.json asks for.
 * @param origin - the file, for the message, and how to hand over one's own: a sentence
 * @throws CheckpointError for an unknown name, with the known ones
 */
export function findArchitecture<A extends { readonly architecture: string }>(
  json: unknown,
  architectures: readonly A[],
  origin: { readonly tag: string; readonly path: string; readonly fix: string },
): A {
  const name = typeof json === 'object' && json !== null && 'architecture' in json ? json.architecture : undefined;
  const found = architectures.find(({ architecture }) => architecture === name);
  if (found) return found;
  const known = [...new Set(architectures.map(({ architecture }) => `"${architecture}"`))].join(', ');
  const { tag, path, fix } = origin;
  const text = JSON.stringify(name) ?? 'undefined';
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  throw new CheckpointError(tag, `${path} asks for the architecture ${shown}. Known: ${known}. ${fix}`);
}
