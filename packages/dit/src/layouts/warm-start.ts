// Weights to start a training from: those of a checkpoint, except for groups that are reinitialised, as Paris's
// heterogeneous experts start from an ImageNet DiT without its head and with a text projection of their own (arXiv 2603.06741).

import type { HostTensor } from '@paris/files/safetensors';
import { fromStateDict, type KeyMap, type StateDict, shortList } from '@paris/model';
import { CheckpointError, ValueError } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { parisLayout } from './layouts.js';

/** What may be reinitialised, by name, in the names of our and of the foreign layouts. */
const groups = {
  /** The last layer, with or without a learned sigma. */
  head: /^final_layer\.|^proj_out(_[12])?\.|^scale_shift_table$/,
  /** What turns words or classes into the input of the blocks. */
  text: /^(text_embed|text_proj|label_embed|y_embedder|caption_projection)\.|\.class_embedder\./,
  /** How blocks read the words. Starts closed: the network is at first the one without. */
  'cross-attention': /\.(cross_attn|attn2)\./,
  /** What turns the time into shifts, scales and gates. */
  modulation: /^(t_block|adaln_single\.linear)\.|\.scale_shift_table$|\.(adaLN_modulation|norm1\.linear)\./,
} as const satisfies Record<string, RegExp>;

/** Whose names the checkpoint has, and which of its weights are not taken. */
export interface WarmStartOptions {
  /** Whose names the state dict has. Default Paris'. Of diffusers, what `recogniseDiT` gives: it computes the positions. */
  readonly layout?: KeyMap;
  /**
   * What is reinitialised: `head`, `text`, `cross-attention`, `modulation`, or the beginning of parameters' names. Default:
   * see {@link remadeGroups}.
   */
  readonly remake?: readonly string[];
}

/** What is reinitialised by default: head and text, and cross-attention if the state dict has none. */
export function remadeGroups(theirs: StateDict): string[] {
  const attends = Object.keys(theirs).some((key) => groups['cross-attention'].test(key));
  return attends ? ['head', 'text'] : ['head', 'text', 'cross-attention'];
}

/**
 * The parameters that a training takes over from a state dict, by our names, without those that are reinitialised. What
 * the state dict holds for these, of whatever shape, does not matter; all the rest must fit.
 * @param shapes - every parameter of the network, see `ditParameterShapes`
 * @throws CheckpointError that lists together what is missing, left over, of another shape, or not finite; ValueError if
 *   `remake` names nothing
 */
export function warmStart(
  shapes: ParameterShapes,
  theirs: StateDict,
  options: WarmStartOptions = {},
): Record<string, HostTensor> {
  const { layout = parisLayout, remake = remadeGroups(theirs) } = options;
  const matchers = remake.map((name) => matcher(name, shapes));
  const startsAnew = (name: string) => matchers.some((matches) => matches(name));
  const remade = new Set(Object.keys(shapes).filter(startsAnew));
  const keysOf = (name: string) => [
    ...layout.pieces(name).map(({ key }) => key),
    ...Object.keys(layout.computed?.[name]?.from ?? {}),
  ];
  const unasked = new Set([...remade].flatMap(keysOf));
  const advice = `Give another layout or config, or reinitialise more (${Object.keys(groups).join(', ')}).`;
  const ours = fromStateDict(
    layout,
    select(shapes, (name) => !remade.has(name)),
    select(theirs, (key) => !unasked.has(key) && !startsAnew(key)),
    advice,
  );
  const broken = Object.entries(ours).flatMap(([name, { data }]) => (data.every(Number.isFinite) ? [] : [name]));
  if (broken.length === 0) return ours;
  throw new CheckpointError(
    'dit',
    `the state dict holds values that are not finite: ${shortList(broken)}. Take another one.`,
  );
}

function select<T>(record: Readonly<Record<string, T>>, isWanted: (key: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => isWanted(key)));
}

function matcher(name: string, shapes: ParameterShapes): (key: string) => boolean {
  if (Object.hasOwn(groups, name)) return (key) => groups[name as keyof typeof groups].test(key);
  const starts = (key: string) => key === name || key.startsWith(`${name}.`);
  if (Object.keys(shapes).some(starts)) return starts;
  const known = Object.keys(groups).join(', ');
  throw new ValueError('dit', `"${name}" is no group of parameters and begins no parameter's name. Groups: ${known}.`);
}
