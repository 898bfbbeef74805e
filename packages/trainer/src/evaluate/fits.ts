// Whether a model and a data folder speak of the same things: picture sizes, words, classes, and what encoded them.
import type { FileSource } from '@paris/files';
import type { LabelSet } from '@paris/model';
import type { LoadedModel } from '@paris/sampler';
import type { PartRecord } from '../data/encodings.js';
import { type LabelledManifest, networkInput } from '../data/formats.js';
import { assertSamePart, type PartArchitectures, partRecord } from '../encode/parts.js';
import { DataError } from '../errors.js';
import { modelCondition } from './measure.js';

const advice = 'Give its own data.';

/** @throws DataError if the model's experts see other sizes, words or classes than the data has */
export function assertFits(tag: string, model: LoadedModel, manifest: LabelledManifest): void {
  const { index, vocabulary, labels } = model;
  const refuse = (what: string): never => {
    throw new DataError(tag, `${what}. ${advice}`);
  };
  const { latent } = index;
  const { channels, size } = networkInput(manifest);
  if (latent.channels !== channels || latent.height !== size || latent.width !== size) {
    const model = `the model's experts see ${latent.channels} × ${latent.height} × ${latent.width}`;
    refuse(
      `${model}, and the data has ${manifest.latents ? 'latents' : 'pictures'} of ${channels} × ${size} × ${size}`,
    );
  }
  if (vocabulary && vocabulary.words.join('\n') !== manifest.vocabulary.join('\n')) {
    refuse('the model was trained with another vocabulary than the data has');
  }
  if (labels && JSON.stringify(labelSet(labels)) !== JSON.stringify(labelSet(manifest.classes))) {
    refuse('the model was trained with another list of classes than the data has');
  }
}

const labelSet = (set: LabelSet | undefined) => set && [set.classes, set.names ?? []];

/** @throws DataError if latents or features of captions were made by other parts than the model has */
export async function assertSameParts(
  tag: string,
  store: FileSource,
  model: LoadedModel,
  { latents, text }: LabelledManifest,
  parts: PartArchitectures,
): Promise<void> {
  const check = async (which: 'codec' | 'text', wanted: PartRecord) => {
    const record = await partRecord({ store, folder: which }, which, parts);
    assertSamePart(tag, which, record, wanted, advice);
  };
  if (latents) await check('codec', latents.codec);
  if (text && modelCondition(model) === 'embeddings') await check('text', text.encoder);
}
