// Recognises whose checkpoint it is, and which network, by the names and shapes of its tensors.
import type { KeyMap, Objective } from '@paris/model';
import { CheckpointError } from '@paris/tensor';
import type { ParameterShapes } from '@paris/tensor/nn';
import { type DiTCondition, type DiTConfig, parseDiTConfig } from '../config.js';
import { fixedPositions, type SizeEmbedders, sizedTimeBias } from './computed.js';
import { diffusersDiTLayout, diffusersPixArtLayout } from './diffusers.js';
import { facebookLayout, parisLayout, pixartLayout } from './layouts.js';

/** What shapes do not determine, from a config next to the weights. */
export interface DiTHints {
  readonly heads?: number | undefined;
  /** Height and width of the latents; needed where positions are not stored. */
  readonly inputSize?: number | undefined;
  /** By how much the places of the grid are divided; default max(inputSize / 64, 1) for PixArt. */
  readonly positionScale?: number | undefined;
  /** Default: as the layout's models were trained. */
  readonly objective?: Objective | undefined;
  /** How the network is given the time. Default: as the layout's models were trained. */
  readonly times?: Pick<DiTConfig, 'timeScale' | 'timeRounding'> | undefined;
}

/** A checkpoint that is a DiT. */
export interface RecognisedDiT {
  /** With what it computes of its own for this checkpoint. */
  readonly layout: KeyMap;
  readonly config: DiTConfig;
  /** What gave it away, for people: a tensor's name. */
  readonly mark: string;
}

interface Family {
  readonly layout: KeyMap;
  /** A tensor that every checkpoint of this layout has, and none of another. */
  readonly mark: string;
  readonly config: Pick<DiTConfig, 'layerNormEps' | 'timeScale' | 'timeRounding' | 'objective'>;
  /** Whether the grid is stretched over larger pictures. */
  readonly stretches?: boolean;
  /** How models of 1024 px are conditioned on the picture's size, if they are. */
  readonly sizes?: SizeEmbedders;
}

/** Numbers that fixed positions may have: half a GiB. A picture of 4,096 px has half of them in PixArt. */
const maxPositions = 2 ** 27;

/** Trained on 1,000 steps of DDPM's linear betas, to predict the noise. */
const ddpm: Family['config'] = {
  layerNormEps: 1e-6,
  timeScale: 999,
  timeRounding: 'nearest',
  objective: { prediction: 'epsilon', path: 'ddpm-linear' },
};

const families: readonly Family[] = [
  {
    layout: parisLayout,
    mark: 'layers.0.attn.in_proj_weight',
    config: {
      layerNormEps: 1e-5,
      timeScale: 1000,
      timeRounding: 'none',
      objective: { prediction: 'velocity', path: 'linear' },
    },
  },
  { layout: facebookLayout, mark: 'y_embedder.embedding_table.weight', config: ddpm },
  {
    layout: pixartLayout,
    mark: 'blocks.0.cross_attn.kv_linear.weight',
    config: ddpm,
    stretches: true,
    sizes: {
      resolution: ['csize_embedder.mlp.0', 'csize_embedder.mlp.2'],
      aspectRatio: ['ar_embedder.mlp.0', 'ar_embedder.mlp.2'],
    },
  },
  {
    layout: diffusersDiTLayout,
    mark: 'transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight',
    config: ddpm,
  },
  {
    layout: diffusersPixArtLayout,
    mark: 'adaln_single.linear.weight',
    config: ddpm,
    stretches: true,
    sizes: {
      resolution: ['adaln_single.emb.resolution_embedder.linear_1', 'adaln_single.emb.resolution_embedder.linear_2'],
      aspectRatio: [
        'adaln_single.emb.aspect_ratio_embedder.linear_1',
        'adaln_single.emb.aspect_ratio_embedder.linear_2',
      ],
    },
  },
];

/**
 * The network that a checkpoint holds; undefined if it is no DiT of a known layout. Whether all its tensors are there, see
 * `mapCheckpoint` of @paris/model.
 * @param found - the shape of every tensor by its foreign name
 * @throws CheckpointError if it is one, but its sizes do not follow from the shapes and the hints
 */
export function recogniseDiT(found: ParameterShapes, hints: DiTHints = {}): RecognisedDiT | undefined {
  const family = families.find(({ mark }) => Object.hasOwn(found, mark));
  if (!family) return undefined;
  const { layout, mark } = family;
  const shapeOf = (name: string) => ownShape(layout, found, name);
  const need = (name: string, rank: number): readonly number[] => {
    const shape = shapeOf(name);
    if (shape?.length === rank) return shape;
    return refuse(
      layout,
      `${layout
        .pieces(name)
        .map(({ key }) => key)
        .join(', ')} is ${shape ? 'of another rank' : 'missing'}`,
    );
  };
  const [hiddenSize, channels, patchSize] = need('patch_embed.weight', 4) as [number, number, number];
  const [outputs] = need('final_layer.linear.weight', 2) as [number];
  const [inner] = need('layers.0.mlp.0.weight', 2) as [number];
  const inputSize = inputSizeOf(family, shapeOf('pos_embed'), patchSize, hints);
  const config = parseDiTConfig({
    ...{
      inputSize,
      channels,
      patchSize,
      hiddenSize,
      mlpRatio: inner / hiddenSize,
      heads: headsOf(layout, hiddenSize, hints),
    },
    ...family.config,
    ...(hints.objective && { objective: hints.objective }),
    ...hints.times,
    depth: depthOf(shapeOf),
    condition: conditionOf(shapeOf),
    modulation: shapeOf('t_block.1.weight') ? 'single' : 'zero',
    textProjection: shapeOf('text_proj.0.weight') ? 'mlp' : 'linear',
    learnSigma: outputs === 2 * patchSize * patchSize * channels,
  });
  return { layout: { ...layout, computed: computedOf(family, found, config, hints) }, config, mark };
}

/** The shape of one of our parameters, put together from the foreign ones. */
function ownShape({ pieces }: KeyMap, found: ParameterShapes, name: string): readonly number[] | undefined {
  const shapes = pieces(name).map(({ key }) => (Object.hasOwn(found, key) ? found[key] : undefined));
  const [first] = shapes;
  if (!first || shapes.some((shape) => !shape)) return undefined;
  return [shapes.reduce((rows, shape) => rows + shape![0]!, 0), ...first.slice(1)];
}

function depthOf(shapeOf: (name: string) => unknown): number {
  let depth = 0;
  while (shapeOf(`layers.${depth}.mlp.0.weight`)) depth++;
  return depth;
}

function conditionOf(shapeOf: (name: string) => readonly number[] | undefined): DiTCondition {
  const labels = shapeOf('label_embed.weight');
  if (labels) return { kind: 'label', classes: labels[0]! - 1 };
  const words = shapeOf('text_embed.weight');
  if (words) return { kind: 'tokens', vocabulary: words[0]!, width: words[1]!, maxTokens: 77 };
  const projection = shapeOf('text_proj.0.weight') ?? shapeOf('text_proj.weight');
  return projection ? { kind: 'embeddings', width: projection[1]! } : { kind: 'none' };
}

/** Heads are 64 wide in all released sizes but XL/2, whose 16 heads are 72 wide. */
function headsOf(layout: KeyMap, hiddenSize: number, { heads }: DiTHints): number {
  if (heads !== undefined) return heads;
  if (hiddenSize === 1152) return 16;
  if (hiddenSize % 64 === 0) return hiddenSize / 64;
  return refuse(layout, `a width of ${hiddenSize} does not tell the number of heads. Say it, as heads`);
}

function inputSizeOf(
  { layout }: Family,
  stored: readonly number[] | undefined,
  patchSize: number,
  { inputSize }: DiTHints,
) {
  const fromStored = stored && patchSize * Math.sqrt(stored[1]!);
  if (fromStored !== undefined && inputSize !== undefined && fromStored !== inputSize) {
    return refuse(layout, `positions are for latents of ${fromStored}, the config says ${inputSize}`);
  }
  return (
    fromStored ??
    inputSize ??
    refuse(layout, 'positions are not stored, so the size of the latents is not known. Say it, as inputSize')
  );
}

function computedOf(
  family: Family,
  found: ParameterShapes,
  { hiddenSize, inputSize, patchSize }: DiTConfig,
  hints: DiTHints,
) {
  const { layout, sizes, stretches } = family;
  const scale = hints.positionScale ?? (stretches ? Math.max(Math.floor(inputSize / 64), 1) : 1);
  const bias = 'time_embed.mlp.2.bias';
  const grid = inputSize / patchSize;
  if (grid * grid * hiddenSize > maxPositions) refuse(layout, `latents of ${inputSize} would be ${grid * grid} tokens`);
  const tellsSize = sizes && Object.hasOwn(found, `${sizes.resolution[0]}.weight`);
  return {
    ...(Object.hasOwn(found, 'pos_embed') ? {} : { pos_embed: fixedPositions(hiddenSize, grid, scale) }),
    ...(tellsSize && { [bias]: sizedTimeBias(layout.pieces(bias)[0]!.key, sizes, hiddenSize, 8 * inputSize) }),
  };
}

function refuse({ name }: KeyMap, what: string): never {
  throw new CheckpointError('checkpoint', `it looks like ${name}, but ${what}.`);
}
