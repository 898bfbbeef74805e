// Checks whether the parts of a model fit each other, by building their graphs; nothing of these runs.
import { zeros } from '@paris/tensor';
import type { PictureShape } from '../contracts/codec.js';
import { conditionTensors } from '../contracts/condition.js';
import type { InputLimits } from '../contracts/expert.js';
import { vocabularyOf } from '../text/word-list-encoder.js';
import { indexPath, type ModelIndex } from './format.js';
import type { ModelNetworks, ReadNetwork } from './networks.js';
import { parameterShapes } from './parameters.js';

/** What does not fit, a phrase each: a codec of other latents than the experts', prompts that experts do not take. */
export function misfits({ experts, router, codec, text }: ModelNetworks, index: ModelIndex): string[] {
  const problems = [...latentMisfits(index, [...experts, router]), ...tokenMisfits([...experts, router], text)];
  if (problems.length > 0) return problems;
  const { latent } = index;
  const attempt = (what: string, build: () => void) => {
    try {
      build();
    } catch (error) {
      problems.push(`${what}: ${(error as Error).message.replace(/\.$/, '')}`);
    }
  };
  const latents = zeros([1, latent.channels, latent.height, latent.width]);
  attempt(codec.folder, () => {
    codec.network.decode(parameterShapes(codec.network), latents);
  });
  if (!text) return problems;
  const { ids: row, length } = text.network.tokenize(['']);
  const ids = zeros([row.length / length, length], 'u32');
  const condition = text.network.encode(parameterShapes(text.network), { ids });
  const first = new Map<unknown, ReadNetwork<(typeof experts)[number]['network']>>();
  for (const expert of experts) if (!first.has(expert.network)) first.set(expert.network, expert);
  for (const { folder, network } of first.values()) {
    const given = Object.values(conditionTensors(condition))[0]!;
    attempt(`${folder} does not take the text side's ${condition.kind} [${given.shape.join(', ')}]`, () => {
      network.apply(parameterShapes(network), { latents, time: zeros([1]), condition });
    });
  }
  return problems;
}

/** Networks of another size than the index says would fail at the first picture. */
function latentMisfits(index: ModelIndex, networks: readonly (ReadNetwork<object> | undefined)[]): string[] {
  const size = ({ channels, height, width }: PictureShape) => `${channels} × ${height} × ${width}`;
  const wanted = size(index.latent);
  return networks.flatMap((each) => {
    const { latent } = (each?.network ?? {}) as InputLimits;
    const taken = latent && size(latent);
    const fits = taken === undefined || taken === wanted;
    return fits ? [] : [`${each!.folder}: it takes latents of ${taken}, ${indexPath} says ${wanted}`];
  });
}

/** An id beyond an expert's table would draw something else, and say nothing. */
function tokenMisfits(networks: readonly (ReadNetwork<object> | undefined)[], text: ModelNetworks['text']): string[] {
  const words = (text && vocabularyOf(text.network)?.words.length) ?? 0;
  return networks.flatMap((each) => {
    const { tokenIds = words } = (each?.network ?? {}) as InputLimits;
    return words > tokenIds ? [`${each!.folder}: it embeds ${tokenIds} words, the vocabulary has ${words}`] : [];
  });
}
