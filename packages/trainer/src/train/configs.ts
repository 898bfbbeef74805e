// From the few numbers of a command line to the config.json of the built-in architectures.
import type { Objective } from '@paris/model';
import type { Json } from '../run/record.js';
import type { ConditionName } from './condition-names.js';
import { assertOffers, type ConditionSizes, conditionKind, defaultCondition } from './conditions.js';
import { defaultObjective, type TransformerSize } from './defaults.js';
import type { ConfigFor } from './expert.js';
import type { TrainRouterOptions } from './router.js';

/**
 * A DiT over what the data has, pixels or latents.
 * @param condition - default: what the data was prepared with, features of captions before classes before words
 */
export function ditConfig(
  size: TransformerSize,
  objective: Objective = defaultObjective,
  condition?: ConditionName,
): ConfigFor {
  return (data) => {
    const name = condition ?? defaultCondition(data);
    return {
      objective: { ...objective },
      ...transformer(data, size),
      condition: conditionConfig(name, data, size),
    };
  };
}

/** A router transformer of this size, which reads the words, features or class of a picture as well, or the noisy picture alone. */
export function routerConfig(size: TransformerSize, reads: ConditionName = 'none'): TrainRouterOptions['config'] {
  return (data) => {
    const { names: _, maxTokens: __, ...condition } = conditionConfig(reads, data, size); // a router asks for neither
    return {
      clusters: data.clusters,
      ...transformer(data, size),
      ...(reads !== 'none' && { condition }),
    };
  };
}

/** The fields that both networks have. */
function transformer(data: { readonly size: number; readonly channels: number }, size: TransformerSize) {
  return {
    inputSize: data.size,
    channels: data.channels,
    patchSize: size.patch,
    hiddenSize: size.width,
    depth: size.depth,
    heads: size.heads,
  };
}

/** @throws DataError if the data was prepared without it */
function conditionConfig(
  name: ConditionName,
  data: ConditionSizes,
  { width }: TransformerSize,
): { [name: string]: Json } {
  const kind = conditionKind(name);
  assertOffers(kind, data);
  if (kind === 'tokens') return { kind, vocabulary: data.vocabulary, maxTokens: data.maxTokens, width };
  if (kind === 'embeddings') return { kind, width: data.text!.width };
  if (kind === 'none') return { kind };
  const { classes, names } = data.classes!;
  return { kind, classes, ...(names && { names: [...names] }) };
}
