// One job on this browser's private files: opened, agreed to, trained, paused, resumed, handed in.
import { type FileStore, folderStore, sha256, UnavailableError } from '@paris/files';
import { openDevice } from '@paris/tensor';
import {
  createResultBundle,
  expertRunName,
  InterruptedError,
  type OpenedJob,
  openJob,
  readMetrics,
  type TrainEvent,
  trainJob,
} from '@paris/trainer';
import type { Answers, Happening, JobView, KeptJob } from '../messages.js';
import { fetchJob, post } from './address.js';
import { ownKeys, revoke, trust, trusted } from './keys.js';
import { ADDRESS_FILE, JOB_FILE, jobFolder, jobIds } from './places.js';
import { jobParts, pngOf, runView, thinned } from './view.js';

/** A checkpoint is written this often: a page that is closed loses no more. */
const checkpointMinutes = 0.5;
/** Rows of sample pictures over a training. */
const sampleRows = 10;

/** Called with what happens on the way. */
export type Tell = (happening: Happening) => void;

/** A job that is open on the page. */
export class Session {
  private constructor(
    private readonly all: FileStore,
    private readonly id: string,
    private readonly opened: OpenedJob,
  ) {}

  /**
   * Fetches a job and keeps it; where the address does not answer, the copy that was kept before is opened.
   * @param key - the only key that the job may be signed by, if the link names one
   */
  static async byAddress(all: FileStore, address: string, key?: string): Promise<[Session, JobView]> {
    try {
      const session = await Session.of(all, await fetchJob(address), key);
      await session.folder.write(ADDRESS_FILE, new TextEncoder().encode(address));
      return [session, await session.view()];
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      for (const id of await jobIds(all)) {
        if ((await addressOf(jobFolder(all, id))) !== address) continue;
        const session = await Session.kept(all, id, key);
        return [session, { ...(await session.view()), isKeptCopy: true }];
      }
      throw error;
    }
  }

  static async byFile(all: FileStore, file: Blob, key?: string): Promise<[Session, JobView]> {
    const session = await Session.of(all, new Uint8Array(await file.arrayBuffer()), key);
    return [session, await session.view()];
  }

  static async byId(all: FileStore, id: string): Promise<[Session, JobView]> {
    const session = await Session.kept(all, id);
    return [session, await session.view()];
  }

  /** Nothing is kept of what is not signed, or by another key than the link promised, or by one that was revoked here. */
  private static async of(all: FileStore, bytes: Uint8Array, key?: string): Promise<Session> {
    const opened = await openJob(bytes);
    await assertWelcome(all, opened.signer, key);
    const id = (await sha256(bytes)).slice(0, 32);
    const folder = jobFolder(all, id);
    if (!(await folder.exists(JOB_FILE))) await folder.write(JOB_FILE, bytes);
    return new Session(all, id, opened);
  }

  private static async kept(all: FileStore, id: string, key?: string): Promise<Session> {
    const opened = await openJob(await jobFolder(all, id).read(JOB_FILE));
    await assertWelcome(all, opened.signer, key);
    return new Session(all, id, opened);
  }

  private get folder(): FileStore {
    return jobFolder(this.all, this.id);
  }

  private get runs(): FileStore {
    return folderStore(this.folder, 'runs');
  }

  private get name(): string {
    return expertRunName(this.opened.job.identity.cluster ?? 0);
  }

  private get run(): FileStore {
    return folderStore(this.runs, this.name);
  }

  private async view(): Promise<JobView> {
    const { signer, job } = this.opened;
    const found = (await trusted(this.all)).get(signer);
    return {
      id: this.id,
      address: await addressOf(this.folder),
      isKeptCopy: false,
      signer,
      trust: { trusted: found !== undefined && !found.revoked, name: found?.name ?? '' },
      bundleBytes: await this.folder.size(JOB_FILE),
      ...(await jobParts(this.opened)),
      run: await runView(this.runs, job.identity.cluster ?? 0),
    };
  }

  async trust(name: string): Promise<null> {
    await trust(this.all, this.opened.signer, name);
    return null;
  }

  async revoke(): Promise<null> {
    await revoke(this.all, this.opened.signer);
    return null;
  }

  /** Begins the training or resumes it, until it is finished or `signal` pauses it. */
  async train(
    require: 'cpu' | 'webgpu' | undefined,
    { signal, tell }: { signal: AbortSignal; tell: Tell },
  ): Promise<Answers['train']> {
    await assertWelcome(this.all, this.opened.signer, undefined, true);
    const device = await openDevice(require ? { require } : {});
    try {
      const { adapter, vendor, insteadOfGpu } = device.info;
      tell({ kind: 'device', adapter, isExact: vendor === 'paris', insteadOfGpu });
      const { options } = this.opened.job.identity;
      const steps = Number(options.steps);
      const record = await trainJob(this.opened, {
        device,
        runs: this.runs,
        signal,
        checkpointMinutes,
        ...((await this.drawsSamples()) && {
          samples: { every: Math.max(1, Math.ceil(steps / sampleRows)), steps: 16 },
        }),
        onEvent: (event) => void this.tellOf(event, tell),
      });
      return { finished: true, step: record.result?.steps ?? steps };
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
      return { finished: false, step: (await runView(this.runs, this.opened.job.identity.cluster ?? 0)).step };
    } finally {
      await device.close();
    }
  }

  /** Pictures can be drawn from pixels in three colours; what latents show only their codec knows. */
  private async drawsSamples(): Promise<boolean> {
    return this.opened.job.data !== undefined || (await jobParts(this.opened)).examples.length > 0;
  }

  private async tellOf(event: TrainEvent, tell: Tell): Promise<void> {
    if (event.type === 'start') {
      const { quota, usage = 0 } = await navigator.storage.estimate();
      const states = Math.ceil(event.steps / this.opened.job.proveEvery) + 2; // and two checkpoints
      const needBytes = states * 16 * event.parameters; // weights, their average, two moments
      const freeBytes = quota === undefined ? undefined : quota - usage;
      tell({ kind: 'start', step: event.step, steps: event.steps, needBytes, freeBytes });
    } else if (event.type === 'progress') {
      const losses = thinned(await readMetrics(this.run).catch(() => [])); // a line may be half-written just now
      tell({ kind: 'progress', step: event.step, steps: event.steps, secondsLeft: event.secondsLeft, losses });
    } else if (event.type === 'checkpoint') tell({ kind: 'saved', step: event.step });
    else if (event.type === 'notice') tell({ kind: 'notice', message: event.message });
    else if (event.type === 'samples') {
      const { samples } = await runView(this.runs, this.opened.job.identity.cluster ?? 0);
      const sample = samples.find(({ step }) => step === event.step);
      if (sample) tell({ kind: 'sample', sample: { ...sample, png: await pngOf(this.run, event.file) } });
    }
  }

  /** The finished training as one file, signed by this browser's key. */
  async result(): Promise<Answers['result']> {
    const { secretKey, publicKey } = await ownKeys(this.all);
    const bytes = await createResultBundle(this.run, secretKey);
    const bundle = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' });
    return { name: `${this.name}.paris`, bundle, publicKey };
  }

  async submit(address: string): Promise<Answers['submit']> {
    const { bundle } = await this.result();
    return { receipt: await post(address, bundle) };
  }

  /** Takes the job and its training out of this browser. */
  async forget(): Promise<null> {
    await this.all.remove(`jobs/${this.id}`);
    return null;
  }
}

/** What this browser keeps. A copy that cannot be read any more is listed with no steps. */
export async function keptJobs(all: FileStore): Promise<KeptJob[]> {
  const kept: KeptJob[] = [];
  for (const id of await jobIds(all)) {
    const folder = jobFolder(all, id);
    const opened = await openJob(await folder.read(JOB_FILE)).catch(() => undefined);
    if (!opened) continue;
    const { cluster = 0, options } = opened.job.identity;
    const { state, step } = await runView(folderStore(folder, 'runs'), cluster);
    const address = await addressOf(folder);
    kept.push({ id, address, cluster, steps: Number(options.steps), step, finished: state === 'finished' });
  }
  return kept;
}

async function addressOf(folder: FileStore): Promise<string | undefined> {
  return (await folder.exists(ADDRESS_FILE)) ? new TextDecoder().decode(await folder.read(ADDRESS_FILE)) : undefined;
}

/** @throws Error with a sentence for a key that was revoked here, that the link did not promise, or, before work, that is not agreed to */
async function assertWelcome(all: FileStore, signer: string, promised?: string, agreed = false): Promise<void> {
  if (promised !== undefined && promised !== signer) {
    throw new Error(
      `The job is signed by ${signer}, and the link promises ${promised}. Ask who gave you the link; nothing was kept.`,
    );
  }
  const found = (await trusted(all)).get(signer);
  if (found?.revoked) {
    throw new Error(`You no longer work for ${found.name || 'the owner of this key'} (${signer}). Nothing was kept.`);
  }
  if (agreed && !found) throw new Error('Agree to work for the owner of this key first.');
}
