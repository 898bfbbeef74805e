// The expert of a model in somebody else's form, and the router of the released Paris.
import { type DiTHints, dit, recogniseDiT } from '@paris/dit';
import type { FileSource } from '@paris/files';
import type { Checkpoint } from '@paris/files/checkpoint';
import type { Expert, Objective, Router } from '@paris/model';
import { recogniseRouter, routerTransformer } from '@paris/router';
import { CheckpointError } from '@paris/tensor';
import { type ForeignPart, foreignPart, openWeights, readRecord, sameNames } from './part.js';

/** What is known of an expert in addition to its weights. */
export interface ExpertHints extends DiTHints {
  /** By class. */
  readonly names?: readonly string[] | undefined;
}

/** An expert, and what it was recognised by. */
export interface ForeignExpert extends ForeignPart<Expert> {
  readonly config: ReturnType<typeof dit.parseConfig> & { readonly architecture: string };
  readonly layout: string;
  readonly mark: string;
}

/**
 * The DiT of a checkpoint.
 * @throws CheckpointError if it is none of a known layout, or not whole
 */
export function expertOf(
  folder: string,
  checkpoint: Checkpoint,
  where: string,
  { names, ...hints }: ExpertHints = {},
): ForeignExpert {
  const found = Object.fromEntries(checkpoint.entries.map(({ name, shape }) => [name, shape]));
  const recognised = recogniseDiT(found, hints);
  if (!recognised) {
    const some = checkpoint.entries.slice(0, 3).map(({ name }) => name);
    const known = "DiT, PixArt, diffusers' of both, and Paris";
    throw new CheckpointError(
      'loadPipeline',
      `${where} is of no known layout (${known}). It begins with ${some.join(', ') || 'nothing'}.`,
    );
  }
  const { config: bare, layout, mark } = recognised;
  const { condition } = bare;
  const named = condition.kind === 'label' && names?.length === condition.classes ? { ...condition, names } : condition;
  const config = { architecture: dit.architecture, ...bare, condition: named };
  const network = dit.fromConfig(config);
  const part = foreignPart({ folder, config, network, weights: { checkpoint, layout, where } });
  return { ...part, config, layout: layout.name, mark };
}

/** The expert of a folder in diffusers' form: weights, and a config.json that must not contradict them, and goes before hints. */
export async function expertOfFolder(
  source: FileSource,
  at: string,
  folder: string,
  { key, ...hints }: ExpertHints & { readonly key?: string | undefined },
): Promise<ForeignExpert & { readonly checkpoint: Checkpoint }> {
  const { checkpoint, path } = await openWeights(source, at, key);
  const json = (await readRecord(source, `${at}/config.json`)) ?? {};
  const number = (name: string) => (typeof json[name] === 'number' ? (json[name] as number) : undefined);
  const expert = expertOf(folder, checkpoint, path, {
    ...hints,
    heads: number('num_attention_heads') ?? hints.heads,
    inputSize: number('sample_size') ?? hints.inputSize,
    positionScale: number('interpolation_scale') ?? hints.positionScale,
  });
  const { config } = expert;
  const said: Record<string, number | undefined> = {
    num_layers: config.depth,
    patch_size: config.patchSize,
    in_channels: config.channels,
    out_channels: config.channels * (config.learnSigma ? 2 : 1),
    attention_head_dim: config.hiddenSize / config.heads,
    caption_channels: config.condition.kind === 'embeddings' ? config.condition.width : undefined,
    num_embeds_ada_norm: config.condition.kind === 'label' ? config.condition.classes : undefined,
  };
  const wrong = Object.entries(said).flatMap(([name, is]) => {
    const says = number(name);
    return says === undefined || is === undefined || says === is ? [] : [`${name} is ${says}, the weights have ${is}`];
  });
  if (wrong.length === 0) return { ...expert, checkpoint };
  throw new CheckpointError('loadPipeline', `${at}/config.json contradicts ${path}: ${wrong.join('; ')}.`);
}

/** The router of the released Paris, whose names are ours. */
export function routerOf(checkpoint: Checkpoint, where: string): ForeignPart<Router> {
  const found = Object.fromEntries(checkpoint.entries.map(({ name, shape }) => [name, shape]));
  const config = { architecture: routerTransformer.architecture, ...recogniseRouter(found) };
  const network = routerTransformer.fromConfig(config);
  return foreignPart({ folder: 'router', config, network, weights: { checkpoint, layout: sameNames('Paris'), where } });
}

/** How an objective is said in a line. */
export function saidObjective({ prediction, path }: Objective): string {
  return `${prediction} on ${path}`;
}
