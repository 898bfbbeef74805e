// A job: one signed file with all that a stranger needs to train one expert, and nothing that runs. Data (or where it is and what
// it hashes to), the training, limits and licences; `trainJob` is `trainExpert` with that.
import {
  assertPublicAddress,
  checkJson,
  encodeJson,
  type FileSource,
  httpStore,
  memoryStore,
  parseJson,
  sha256,
} from '@paris/files';
import * as z from 'zod/mini';
import { clusterFolder } from '../data/files.js';
import { filesOf } from '../data/formats.js';
import { tallyItems } from '../data/items.js';
import { DataError } from '../errors.js';
import { NOT_STATED } from '../run/data.js';
import { jsonObject, RUN_FILE, type RunIdentity, type RunRecord } from '../run/record.js';
import { expertIdentity, type TrainExpertOptions, trainExpert } from '../train/expert.js';
import { requireOption } from '../train/options.js';
import { type Named, recordedExpert } from '../train/recorded.js';
import type { TrainControls } from '../train/train.js';
import { JOB_FILE, packFiles, unpackFiles } from './archive.js';
import { openSealed, seal } from './sealed.js';
import type { TrustList } from './trust.js';

/** What is to be trained, and on what terms. */
export interface Job {
  version: 1;
  kind: 'job';
  /** The training: its run must say exactly this of itself. */
  identity: RunIdentity;
  /** Steps between the states that the run keeps for a proof. */
  proveEvery: number;
  /** After so many hours of one sitting it stops, and can be resumed. */
  maxHours?: number | undefined;
  /** Pictures by licence: what a volunteer should know before. */
  licences: { [licence: string]: number };
  /** Where the data is, if it is not in the bundle: an https folder that holds these files. */
  data?: { address: string; files: { path: string; sizeBytes: number; sha256: string }[] } | undefined;
}

/** What a job is made from. */
export interface JobOptions extends Omit<TrainExpertOptions, keyof TrainControls> {
  proveEvery: number;
  maxHours?: number | undefined;
  /** Leaves the data out: it is in this https folder, as `partition` wrote it. */
  dataAt?: string | undefined;
  /** Of who gives the job out. */
  secretKey: string;
}

/** The bytes of a job. @throws as `trainExpert` does for options that mean nothing, DataError for what no job can carry */
export async function createJobBundle(options: JobOptions): Promise<Uint8Array> {
  const { data, cluster, proveEvery, maxHours, dataAt, secretKey, initial } = options;
  if (initial)
    throw new DataError(
      'bundle',
      'a job begins with weights that are drawn from its seed: leave the file of weights out.',
    );
  // Nobody could open a job with another one.
  requireOption(
    'proveEvery',
    proveEvery,
    Number.isSafeInteger(proveEvery) && proveEvery >= 1,
    'a whole number from 1 on',
  );
  if (maxHours !== undefined) {
    requireOption('maxHours', maxHours, Number.isFinite(maxHours) && maxHours > 0, 'a number above 0');
  }
  const { identity, data: pictures } = await expertIdentity(options);
  const paths = ['cluster.json', ...filesOf(pictures.manifest)].map((name) => `${clusterFolder(cluster)}/${name}`);
  const store = memoryStore();
  const files = [];
  for (const path of paths) {
    const bytes = await data.read(path);
    files.push({ path, sizeBytes: bytes.length, sha256: await sha256(bytes) });
    if (dataAt === undefined) await store.write(path, bytes);
  }
  if (dataAt !== undefined) assertPublicAddress(dataAt);
  const job: Job = {
    ...{
      version: 1,
      kind: 'job',
      identity,
      proveEvery,
      licences: await tallyItems(pictures.items, ({ licence = NOT_STATED }) => licence),
    },
    ...(maxHours !== undefined && { maxHours }),
    ...(dataAt !== undefined && { data: { address: dataAt, files } }),
  };
  await store.write(JOB_FILE, encodeJson(job));
  return seal(await packFiles(store, await store.list()), secretKey);
}

/** A job that was opened, and its data as far as it is in the bundle. */
export interface OpenedJob {
  job: Job;
  files: FileSource;
  /** The public key of who gave it out. */
  signer: string;
}

/** @throws DataError for what is no job, is not signed, or not by one who is trusted; CheckpointError for a job.json that is unsound */
export async function openJob(file: Uint8Array, trust?: TrustList): Promise<OpenedJob> {
  const { content, signer } = await openSealed(file, trust);
  const isOurs = (path: string) => path === JOB_FILE || isData(path);
  const files = await unpackFiles(content, isOurs, {
    path: RUN_FILE,
    what: 'it is the result of a training, and no job',
  });
  if (!(await files.exists(JOB_FILE))) throw new DataError('bundle', 'it is no job: it has no job.json.');
  const origin = { tag: 'bundle', path: JOB_FILE };
  return { job: checkJson(parseJson(await files.read(JOB_FILE), origin), schema, origin), files, signer };
}

/** How a job is carried out. */
export interface TrainJobOptions
  extends TrainControls,
    Pick<Named, 'experts' | 'paths'>,
    Pick<TrainExpertOptions, 'samples'> {
  /** Fetches from http, this machine and private networks, too. Default false. */
  allowPrivate?: boolean | undefined;
}

/**
 * Trains what a job asks for. The run is `expert-NN`.
 * @throws StoreError for an address that is not to be fetched from; DataError if the data is not what the job says; as `trainExpert`
 */
export async function trainJob({ job, files }: OpenedJob, options: TrainJobOptions): Promise<RunRecord> {
  const { identity, proveEvery, maxHours } = job;
  const data = job.data ? await fetched(job.data, options) : files;
  const { experts, paths, samples, ...controls } = options;
  const training = recordedExpert(identity, { experts, paths });
  const { identity: own } = await expertIdentity({ ...training, data });
  if (own.data.sha256 !== identity.data.sha256) {
    throw new DataError('bundle', 'the data is not that of the job: it was changed after it had been signed.');
  }
  const hours = Math.min(maxHours ?? Number.POSITIVE_INFINITY, options.maxHours ?? Number.POSITIVE_INFINITY);
  return trainExpert({
    ...controls,
    ...training,
    data,
    samples,
    proveEvery,
    ...(Number.isFinite(hours) && { maxHours: hours }),
  });
}

/** The files of a job that are elsewhere, in memory: no more of each is taken than the job says. */
async function fetched(
  { address, files }: NonNullable<Job['data']>,
  { allowPrivate = false, signal }: TrainJobOptions,
): Promise<FileSource> {
  assertPublicAddress(address, { allowPrivate });
  const guarded: typeof fetch = (input, init) => {
    assertPublicAddress(input instanceof Request ? input.url : input, { allowPrivate }); // also where a redirect leads
    return fetch(input, init);
  };
  const source = httpStore(address, { fetch: guarded, signal });
  const store = memoryStore();
  for (const { path, sizeBytes, sha256: hash } of files) {
    const bytes = await source.read(path, undefined, { maxBytes: sizeBytes });
    if ((await sha256(bytes)) !== hash) {
      throw new DataError(
        'bundle',
        `${path} at the address of the job is not the file that was signed. Ask who gave it out.`,
      );
    }
    await store.write(path, bytes);
  }
  return store;
}

function isData(path: string): boolean {
  return /^clusters\/\d{2,}\/(cluster\.json|images(-\d{5,})?\.safetensors|items-\d{5,}\.jsonl)$/.test(path);
}

const schema: z.ZodMiniType<Job> = z.object({
  version: z.literal(1),
  kind: z.literal('job'),
  identity: z.object({
    kind: z.literal('expert'),
    cluster: z.optional(z.int().check(z.gte(0))),
    options: jsonObject,
    data: z.object({ sha256: z.string(), count: z.int() }),
  }),
  proveEvery: z.int().check(z.gte(1)),
  maxHours: z.optional(z.number().check(z.gt(0))),
  licences: z.record(z.string(), z.int()),
  data: z.optional(
    z.object({
      address: z.string(),
      files: z.array(
        z.object({
          path: z.string().check(z.refine(isData)),
          sizeBytes: z.int().check(z.gte(0), z.lte(2 ** 31)),
          sha256: z.string(),
        }),
      ),
    }),
  ),
});
