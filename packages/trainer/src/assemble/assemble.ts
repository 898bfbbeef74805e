// Finished runs → a model folder. Here the experts meet for the first time.

import { writePartition } from '@paris/clustering';
import { checkName, type FileContent, type FileSource, type FileStore, writeJson } from '@paris/files';
import { parseSafetensors, safetensorsParts } from '@paris/files/safetensors';
import {
  expertFolder,
  floatFormat,
  isQuantized,
  type ModelIndex,
  type WeightFormat,
  weightFormats,
  writeModelIndex,
  writeVocabulary,
  writtenTensors,
} from '@paris/model';
import { parseRoutingPolicy } from '@paris/router';
import { CheckpointError } from '@paris/tensor';
import { assembledCard, CARD_FILE } from '../card/card.js';
import { mayWriteCard } from '../card/own.js';
import type { LatentFormat } from '../data/encodings.js';
import { copyPart, type PartArchitectures, type PartFolder } from '../encode/parts.js';
import { RunError } from '../errors.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { modelFolder } from '../output/kinds.js';
import { recoverOutput, replaceOutput } from '../output/replace.js';
import { WEIGHTS_FILE } from '../run/claim.js';
import { objectOf } from '../run/record.js';
import { averageFile } from '../train/options.js';
import { type GateOptions, passGate } from '../verify/gate.js';
import { type ArrivedRuns, arrivedRuns } from './arrived.js';
import { assertBelong, assertTrainedOn, type FinishedRun } from './belonging.js';
import { assertSameConditions, neededPart, partPlaces } from './frozen-parts.js';
import { countsText, learnedFromRun, sumOfExperts } from './learned-from.js';
import { policyFor } from './routes.js';

/** Which runs become a model, where, and what its index says. */
export interface AssembleOptions {
  /**
   * Holds the run `router`, and those of experts that have arrived: `expert-00` …. A model of one expert needs no router.
   */
  runs: FileStore;
  /** The model's folder. An older model in it is replaced when all of the new one is written. */
  out: FileStore;
  /** What the latents were encoded with: needed where experts learned latents, and copied into the model. */
  codec?: PartFolder | undefined;
  /** What the captions were encoded with: needed where experts learned features of captions, and copied into the model. */
  text?: PartFolder | undefined;
  /** Your own codecs and text encoders, in addition to those of `@paris/encoders`. */
  parts?: PartArchitectures | undefined;
  /** If given, the runs must have been trained on the folders in it as they are now. */
  data?: FileSource;
  /** Default: the licences of the pictures, joined. */
  licence?: string;
  /** The routing policy where none is given. Default `top2`. */
  routing?: string;
  /**
   * How the weights are written: f16 takes half the space and three digits; q8 and q4 pack the experts' matrices in 8 or 4
   * bits and leave the rest in f16. Default: as they were trained.
   */
  weights?: WeightFormat;
  /** The decay of the moving average that experts' weights are taken from, where runs kept several. Default: the first one. */
  emaDecay?: number | undefined;
  /** Throws where an expert is missing or not finished. Default false: it is absent from the model. */
  complete?: boolean | undefined;
  /** Called with a line for each expert that is absent, and why. */
  onNotice?: ((line: string) => void) | undefined;
  /** Refuses experts that are unsound, copies, or no better than untrained or other ones. Default: they are taken as they are. */
  gate?: GateOptions | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Checks that the runs belong together and copies weights, configurations, vocabulary and partition, and writes the model card.
 * Experts come as they arrive: those that are missing or not finished are listed in the index as absent.
 * @throws OutputError if the output holds something else than a model of ours, or is not apart from the runs and the data;
 *   RunError if no expert or no router is finished, or one was trained with another partition or vocabulary; ValueError if
 *   there is no such routing policy or format of weights, or it asks more experts than there are; DataError if the gate refuses an expert; the
 *   signal's reason when it is aborted
 */
export async function assemble(options: AssembleOptions): Promise<ModelIndex> {
  const { runs, out, weights, emaDecay, signal } = options;
  if (options.routing !== undefined) parseRoutingPolicy(options.routing); // before anything is read
  if (weights !== undefined) checkName('assemble', 'weights', weights, weightFormats);
  await assertApart(
    'assemble',
    [{ what: 'the output folder', store: out }],
    [
      { what: 'the folder of runs', store: runs },
      ...(options.data ? [{ what: 'the data folder', store: options.data }] : []),
      ...partPlaces(options),
    ],
  );
  await recoverOutput(out);
  await claimOutput(out, modelFolder, 'assemble');
  const arrived = await arrivedRuns(options);
  const { experts, router, partition } = arrived;
  if (options.routing !== undefined) policyFor(options.routing, arrived.clusters);
  const conditions = assertSameConditions(experts, router);
  await assertBelong(experts, router, partition);
  const files = experts.map((expert) => weightsFile(expert, emaDecay));
  if (options.data) await assertTrainedOn(options.data, experts, router);
  if (options.gate) {
    const candidates = experts.flatMap((run, i) => (run.record.kind === 'expert' ? [{ ...run, file: files[i]! }] : []));
    await passGate(candidates, samplingPath(experts, router), options.gate);
  }

  const { latents, text } = experts[0]!.data;
  const needsText = conditions === 'embeddings';
  const codec = await neededPart('codec', latents?.codec, options);
  await neededPart('text', needsText ? text?.encoder : undefined, options);
  const description = { ...describe(arrived, options), ...(codec && { codec: codec.architecture }) };
  const { parts, index: last } = modelFolder;
  const writesCard = await mayWriteCard(out);
  const replaced = { parts: [...parts, ...(writesCard ? [CARD_FILE] : [])], last };
  return replaceOutput(out, modelFolder, replaced, 'assemble', async (model) => {
    for (const [i, expert] of experts.entries()) {
      signal?.throwIfAborted();
      await copyNetwork(expert, files[i]!, model, expertFolder(expert.cluster), weights);
    }
    if (router) {
      signal?.throwIfAborted();
      await copyNetwork(router, WEIGHTS_FILE, model, 'router', floatFormat(weights));
      await writePartition(model, 'partition', partition!);
    }
    if (latents) await copyPart(options.codec!, model, 'codec', latents.codec, options.parts);
    if (needsText) await copyPart(options.text!, model, 'text', text!.encoder, options.parts);
    const { words, maxTokens } = experts[0]!.vocabulary;
    if (conditions === 'tokens') await writeVocabulary(model, words, maxTokens);
    if (writesCard) {
      const card = assembledCard({ codec: 'identity', ...description }, conditions);
      await model.write(CARD_FILE, new TextEncoder().encode(card));
    }
    const index = await writeModelIndex(model, description);
    signal?.throwIfAborted();
    return index;
  });
}

const pick = ({ channels, height, width }: LatentFormat) => ({ channels, height, width });

/** All of the index but the list of files. */
function describe({ clusters, experts, absent, router }: ArrivedRuns, options: AssembleOptions) {
  const all = router ? [...experts, router] : experts;
  const { size, channels, latents } = experts[0]!.data;
  const { routing = clusters > 1 ? 'top2' : 'top1', weights } = options;
  const licences = [
    ...new Set(all.flatMap((run) => [...Object.keys(run.data.licences), ...teacherLicences(run)])),
  ].sort();
  const learnedFrom = Object.fromEntries([
    ...experts.map((run) => [expertFolder(run.cluster), learnedFromRun(run.data)] as const),
    ...(router ? [['router', learnedFromRun(router.data)] as const] : []),
  ]);
  return {
    clusters,
    ...(absent.length > 0 && { absent }),
    latent: latents ? pick(latents) : { channels, height: size, width: size },
    path: samplingPath(experts, router),
    routing,
    ...(isQuantized(weights) && { weights }),
    licence: options.licence ?? licences.join(' AND '),
    provenance: provenanceOf({ learnedFrom }, experts),
    learnedFrom,
  };
}

/** Who taught a student. */
function teacherText({ record }: FinishedRun): string | undefined {
  const { sha256, licence, routing, guidance } = objectOf(record.options.teacher) ?? {};
  if (typeof sha256 !== 'string') return undefined;
  const how = `${routing === 'oracle' ? "each picture by its cluster's expert" : `routed by ${routing}`}, guidance ${guidance}`;
  return `distilled from the model whose index has SHA-256 ${sha256.slice(0, 16)}, under ${licence}; ${how}`;
}

/** Those of the model that taught a student, which come on top of those of the pictures. */
function teacherLicences({ record }: FinishedRun): string[] {
  const licence = objectOf(record.options.teacher)?.licence;
  return typeof licence === 'string' ? licence.split(' AND ') : [];
}

/** The path that is sampled on: the router's, which was trained on no other; a single expert's own. */
function samplingPath(experts: readonly FinishedRun[], router?: FinishedRun): string {
  const { name, record } = router ?? experts[0]!;
  const path = router ? record.options.path : objectOf(record.options.objective)?.path;
  if (typeof path === 'string') return path;
  throw new CheckpointError('assemble', `${name}/run.json names no noise path.`);
}

/** The file of the average of this decay. @throws RunError if the run did not keep it */
function weightsFile({ name, record }: FinishedRun, decay: number | undefined): string {
  const kept = [record.options.emaDecay].flat();
  if (decay === undefined || decay === kept[0]) return WEIGHTS_FILE;
  if (kept.includes(decay)) return averageFile(decay);
  const has = kept[0] === 0 ? 'none' : `that of ${kept.join(', ')}`;
  throw new RunError(
    'assemble',
    `${name} kept no moving average of decay ${decay}; it has ${has}. Choose one that all experts have.`,
  );
}

async function copyNetwork(
  run: FinishedRun,
  file: string,
  out: FileStore,
  folder: string,
  weights: AssembleOptions['weights'],
): Promise<void> {
  const { architecture } = run.record.options;
  const config = objectOf(run.record.options.config);
  if (!config) throw new CheckpointError('assemble', `${run.name}/run.json has no options.config.`);
  await writeJson(out, `${folder}/config.json`, { architecture, ...config });
  const trained = await run.store.read(file);
  await out.write(`${folder}/model.safetensors`, weights ? inFormat(trained, weights) : trained);
}

/** The same weights in another format. */
function inFormat(file: Uint8Array, format: WeightFormat): FileContent {
  const tensors = Object.entries(parseSafetensors(file)).flatMap(([name, tensor]) =>
    writtenTensors(name, tensor, format),
  );
  return safetensorsParts(Object.fromEntries(tensors));
}

function provenanceOf(index: Pick<ModelIndex, 'learnedFrom'>, [first]: readonly FinishedRun[]) {
  const { licences, sources } = sumOfExperts(index);
  const count = Object.keys(sources ?? {}).length;
  const teacher = teacherText(first!);
  return {
    licences: countsText(licences),
    ...(sources && count > 0 && count <= 50 && { sources: countsText(sources) }),
    ...(teacher && { teacher }),
    software: Object.entries(first!.record.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  };
}
