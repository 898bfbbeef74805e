/**
 * One device, one queue. The oldest request goes first, and takes along those that want the same steps of the same kind; what a batch
 * has no room for goes to the end, so that ten pictures of one client do not hold up the next client's one.
 */
import type { GenerateOptions, PreviewTier, RgbImage, RoutingRecord, StepEvent } from '@paris/sampler';
import { ParisError } from '@paris/tensor';
import { ApiError } from '../http/errors.js';
import { mostMs } from '../http/most-ms.js';
import type { Limits } from '../options.js';
import { type Drawn, Job, type JobRequest, sharesOf } from './job.js';
import type { Model } from './model.js';

/** One picture of a batch. */
interface Place {
  readonly job: Job;
  readonly picture: number;
}

/** How things stand. */
export interface QueueState {
  readonly waiting: number;
  readonly drawing: number;
  readonly pictures: number;
  readonly batches: number;
  /** Of all batches so far: grows while the device works. */
  readonly steps: number;
  readonly devicesLost: number;
}

export class Queue {
  readonly #open: () => Promise<Model>;
  readonly #limits: Limits;
  #model: Promise<Model> | undefined;
  /** Models whose device is gone. */
  readonly #lost = new WeakSet<Promise<Model>>();
  #jobs: Job[] = [];
  #running: readonly Place[] = [];
  #idle: Promise<void> = Promise.resolve();
  #isBusy = false;
  #closed = false;
  #secondsPerPicture = 1;
  #counts = { pictures: 0, batches: 0, steps: 0, devicesLost: 0 };

  constructor(open: () => Promise<Model>, limits: Limits) {
    this.#open = open;
    this.#limits = limits;
  }

  /**
   * The loaded model. Where loading fails, or its device is lost, the next request loads it again.
   * @throws ApiError 503 where the server ends: nobody would close what is loaded then
   */
  model(): Promise<Model> {
    if (!this.#model) this.#checkOpen();
    this.#model ??= this.#watched(this.#open());
    return this.#model;
  }

  #watched(opened: Promise<Model>): Promise<Model> {
    const lost = async ({ pipeline }: Model) => {
      await pipeline.device.gpu.lost;
      this.#lost.add(opened);
      if (this.#running.length === 0) await this.#leave(opened); // else what runs fails first
    };
    const failed = () => {
      if (this.#model === opened) this.#model = undefined;
    };
    opened.then(lost, failed);
    return opened;
  }

  get state(): QueueState {
    // A request of which some pictures are drawn and others wait is one that is drawn.
    const drawn = new Set(this.#running.map(({ job }) => job));
    const waiting = this.#jobs.filter((job) => !drawn.has(job)).length;
    return { waiting, drawing: drawn.size, ...this.#counts };
  }

  /** @throws ApiError 429 if too many wait, 503 while the server ends */
  checkRoom(): void {
    this.#checkOpen();
    const { waiting, drawing } = this.state;
    if (waiting + drawing < this.#limits.queue) return;
    const pictures = this.#jobs.reduce((sum, job) => sum + job.waiting.length, this.#running.length);
    const retryAfterSeconds = Math.max(1, Math.ceil(pictures * this.#secondsPerPicture));
    throw new ApiError(429, 'Too many requests wait. Try again later.', { code: 'queue_full', retryAfterSeconds });
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new ApiError(503, 'The server is about to end.', { code: 'shutting_down', retryAfterSeconds: 10 });
  }

  /**
   * Draws the pictures of a request.
   * @throws what `checkRoom` throws; the signal's reason; what drawing throws
   */
  async draw(request: JobRequest): Promise<readonly Drawn[]> {
    this.checkRoom();
    request.signal.throwIfAborted();
    const job = new Job(request);
    const cancel = () => {
      this.#jobs = this.#jobs.filter((each) => each !== job);
      job.fail(request.signal.reason);
    };
    request.signal.addEventListener('abort', cancel, { once: true });
    this.#jobs.push(job);
    if (!this.#isBusy) this.#idle = this.#work();
    return job.done.finally(() => request.signal.removeEventListener('abort', cancel));
  }

  /**
   * Takes no more requests, and waits so long for those that are there before it cancels them. Closes the model: one that is still
   * being loaded when it is there, which is not waited for longer than that.
   */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), Math.min(graceMs, mostMs));
    });
    await Promise.race([this.#idle, grace]);
    const ended = new ApiError(503, 'The server ended before the pictures were drawn.', { code: 'shutting_down' });
    for (const job of [...this.#jobs, ...this.#running.map(({ job }) => job)]) job.fail(ended);
    this.#jobs = [];
    const loading = this.#model;
    const model = await Promise.race([loading, grace]).catch(() => undefined);
    clearTimeout(timer);
    if (!model) return void loading?.then((late) => late.close()).catch(() => undefined);
    await this.#idle;
    await model.close();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#jobs.length > 0) {
        this.#running = this.#nextBatch();
        await this.#run(this.#running);
        this.#running = [];
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /**
   * The oldest job's pictures, then those of others of its kind, in turn. As many as a power of two: each other size would be
   * compiled for itself, and there are only so many plans that a device keeps.
   */
  #nextBatch(): readonly Place[] {
    const [first] = this.#jobs;
    const alike = this.#jobs.filter(({ key }) => key === first!.key);
    const waiting = alike.reduce((sum, job) => sum + job.waiting.length, 0);
    const size = 2 ** Math.floor(Math.log2(Math.min(waiting, this.#limits.batch)));
    const places: Place[] = [];
    for (const job of alike) {
      const room = size - places.length;
      places.push(...job.waiting.splice(0, room).map((picture) => ({ job, picture })));
    }
    const served = new Set(places.map(({ job }) => job));
    const rest = [...served].filter((job) => job.waiting.length > 0);
    this.#jobs = [...this.#jobs.filter((job) => !served.has(job)), ...rest];
    return places;
  }

  async #run(places: readonly Place[]): Promise<void> {
    const began = performance.now();
    const opened = this.model();
    let isOpen = false;
    try {
      const model = await opened;
      isOpen = true;
      await this.#steps(model, places);
      this.#counts.batches += 1;
      this.#counts.pictures += places.length;
      const seconds = (performance.now() - began) / 1000 / places.length;
      this.#secondsPerPicture += (seconds - this.#secondsPerPicture) / 4;
    } catch (error) {
      if (error instanceof ParisError && error.code === 'DEVICE_LOST') this.#lost.add(opened);
      this.#failed(places, error, isOpen && !this.#lost.has(opened));
    }
    if (this.#lost.has(opened)) await this.#leave(opened);
  }

  /**
   * One job may be what a batch failed for: a prompt that its encoder refuses, or too many pictures for the memory. So the jobs
   * of a batch are drawn again, each alone, and one that fails alone has failed.
   */
  #failed(places: readonly Place[], error: unknown, mayBeOfOne: boolean): void {
    const jobs = [...new Set(places.map(({ job }) => job))];
    const others = this.#jobs.filter((job) => !jobs.includes(job));
    if (!mayBeOfOne || jobs.length === 1) {
      for (const job of jobs) job.fail(error);
      this.#jobs = others;
      return;
    }
    for (const job of jobs) {
      job.separate(places.filter((place) => place.job === job).map(({ picture }) => picture));
    }
    this.#jobs = [...jobs.filter(({ settled }) => !settled), ...others];
  }

  /** Of a lost device nothing is left to use: the next batch loads the model on a new one. */
  async #leave(opened: Promise<Model>): Promise<void> {
    if (this.#model !== opened || this.#closed) return;
    this.#counts.devicesLost += 1;
    this.#model = undefined;
    await opened.then((model) => model.close()).catch(() => undefined);
  }

  async #steps(model: Model, places: readonly Place[]): Promise<void> {
    /** By picture, by step, by evaluation. */
    const records = places.map((): (readonly RoutingRecord[])[] => []);
    for await (const event of model.pipeline.steps(optionsOf(model, places))) {
      this.#counts.steps += 1;
      for (const [i, each] of event.routing.entries()) records[i]!.push(each);
      if (places.every(({ job }) => job.settled)) return; // nobody waits any more
      await showPreviews(places, event);
      for (const [i, image] of (event.finished ?? []).entries()) {
        const { job, picture } = places[i]!;
        const [weights, weightsByStep] = [sharesOf(records[i]!.flat()), records[i]!.map(sharesOf)];
        job.finish({ picture, image, weights, weightsByStep });
      }
    }
  }
}

/** What the pipeline is asked for: what all places have in common, and lists of the rest. */
function optionsOf({ pipeline, weaker }: Model, places: readonly Place[]): GenerateOptions {
  const { request } = places[0]!.job;
  const { routing, shift, guidance, autoguidance, strength, mask, variation, ...shape } = request.shape;
  return {
    ...shape,
    [pipeline.labels ? 'labels' : 'prompts']: places.map(({ job }) => job.request.prompt),
    seed: places.map(({ job, picture }) => job.request.origins[picture]!),
    negativePrompt: places.map(({ job }) => job.request.negativePrompt),
    batchSize: places.length,
    ...(routing !== undefined && { routing }),
    ...(shift !== undefined && { shift }),
    ...(guidance !== undefined && { guidance }),
    ...(autoguidance !== undefined && { autoguidance: { weaker: weaker!, scale: autoguidance } }),
    ...(request.image && { image: places.map(({ job }) => job.request.image!) }),
    ...(strength !== undefined && { strength }),
    ...(mask && { mask }),
    ...(variation !== undefined && {
      variation: { strength: variation, seed: places.map(({ job, picture }) => job.request.goals[picture]!) },
    }),
  };
}

/** Shows each job the previews that are due, as exact as it wants them. */
async function showPreviews(places: readonly Place[], { step, steps, routing, preview }: StepEvent): Promise<void> {
  const images = new Map<PreviewTier, readonly RgbImage[]>();
  for (const [i, { job, picture }] of places.entries()) {
    const { count, tier } = job.request.previews;
    const index = previewAt(step, steps, count);
    if (index < 0 || job.settled) continue;
    if (!images.has(tier)) images.set(tier, await preview(tier));
    const image = images.get(tier)![i]!;
    job.show({ picture, step, steps, index, image, weights: sharesOf(routing[i]!) });
  }
}

/** Which preview is due after a step, or −1: `previews` of them, evenly spread, none after the last step. */
function previewAt(step: number, steps: number, previews: number): number {
  for (let index = 0; index < previews; index++) {
    if (step === Math.floor(((index + 1) * steps) / (previews + 1)) - 1) return index;
  }
  return -1;
}
