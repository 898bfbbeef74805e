import { classNames } from '@paris/model/classes';
import type { Model } from '../queue/model.js';

/** What a program, or a page, has to know of a model before it asks for pictures. */
export interface ModelDetails {
  /** As requests may write it. */
  readonly size: string;
  readonly experts: number;
  /** Where a request names no policy. */
  readonly routing: string;
  readonly licence: string | null;
  /** What computes. */
  readonly adapter: string;
  /** Whether requests may ask for it: the server has a weaker model. */
  readonly autoguidance: boolean;
  /** Whether its pictures are latents that a codec decodes: then `preview: 'projection'` saves time. */
  readonly latent: boolean;
  /** Words that it knows, and how many of a prompt it reads; null where every prompt is read. */
  readonly vocabulary: { readonly words: readonly string[]; readonly maxTokens: number } | null;
  /** Names of the classes that `prompt` chooses among, by number; null where the model reads prompts. */
  readonly labels: readonly string[] | null;
}

export async function detailsOf({ pipeline, weaker }: Model): Promise<ModelDetails> {
  const { index, vocabulary, labels, device } = pipeline;
  const { width, height } = await pipeline.pictureSize();
  return {
    size: `${width}x${height}`,
    experts: index.clusters,
    routing: index.routing,
    licence: index.licence ?? null,
    adapter: device.info.adapter,
    autoguidance: weaker !== undefined,
    latent: index.codec !== 'identity',
    vocabulary: vocabulary ? { words: vocabulary.words, maxTokens: vocabulary.maxTokens } : null,
    labels: labels ? classNames(labels) : null,
  };
}
