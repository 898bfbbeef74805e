// Carries an experiment out, piece by piece: data of each partition, a run of each network, a model and a measurement of each
// variant and seed. Each piece is an ordinary folder; what is finished is not done again.
import { statisticsEncoder } from '@paris/clustering';
import { dit } from '@paris/dit';
import { entriesOf, type FileSource, type FileStore, folderStore, readJson, sha256, writeJson } from '@paris/files';
import { routerTransformer } from '@paris/router';
import type { Device } from '@paris/tensor';
import * as z from 'zod/mini';
import { assemble } from '../assemble/assemble.js';
import { heldOutCount, readManifest } from '../data/files.js';
import { trainStudent } from '../distil/student.js';
import { OutputError, RunError } from '../errors.js';
import { type RealPictures, readRealPictures } from '../evaluate/real-pictures.js';
import type { OnTrainEvent } from '../run/events.js';
import { expertRunName, ROUTER_RUN, STUDENT_RUN } from '../run/names.js';
import { firstDifference, type Json, objectOf } from '../run/record.js';
import { defaultCondition } from '../train/conditions.js';
import { ditConfig, routerConfig } from '../train/configs.js';
import { trainExpert } from '../train/expert.js';
import { trainRouter } from '../train/router.js';
import { trainingCost } from './cost.js';
import { partitionFor, routerDataFor } from './data.js';
import { type Design, folderName, type Variant } from './design.js';
import { type Measured, measureBounds, measureVariant, readMeasured } from './measure-variant.js';
import { type ExperimentResults, summarise } from './results.js';
import { noteTime } from './times.js';

/** Where an experiment runs, on which pictures, and who hears of it. */
export interface ExperimentOptions {
  device: Device;
  design: Design;
  /** What `prepare` wrote; nothing is written to it. */
  data: FileSource;
  /** A folder of its own: empty, or of the same experiment before. */
  out: FileStore;
  /** Called as each piece begins: `total` counts all of them, finished ones too. */
  onPiece?: ((name: string, done: number, total: number) => void) | undefined;
  /** What is said of a training. */
  onTrain?: OnTrainEvent | undefined;
  /** Of measuring: how much of the piece is done. */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Steps between checkpoints of each training. Default 100. */
  checkpointEvery?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Files of an experiment's folder, apart from its pieces. */
const EXPERIMENT_FILE = 'experiment.json';
const RESULTS_FILE = 'results.json';

/**
 * Runs what is left of an experiment, and writes `results.json`: the same bytes however often it was stopped. Times are apart
 * from it, in `times.jsonl`.
 * @throws OutputError if the folder holds something else; RunError if it holds another experiment; InterruptedError or the
 *   signal's reason when it is stopped; what preparing, training and sampling throw
 */
export async function runExperiment(options: ExperimentOptions): Promise<ExperimentResults> {
  const { out, design, data, signal } = options;
  const lock = await out.lock();
  try {
    await claim(out, design, data);
    const measured: { seed: number; variant: string; measured: Measured }[] = [];
    const bounds: { seed: number; measured: Measured }[] = [];
    const pieces = design.seeds.flatMap((seed) => design.variants.map((variant) => ({ seed, variant })));
    for (const [done, { seed, variant }] of pieces.entries()) {
      signal?.throwIfAborted();
      options.onPiece?.(`seed ${seed}, ${variant.name}`, done, pieces.length);
      const piece = new Piece(options, seed, variant);
      measured.push({ seed, variant: variant.name, measured: await piece.measured() });
      if (design.reference.startsWith(`${variant.name}/`)) bounds.push({ seed, measured: await piece.bounds() });
    }
    const results = summarise(design, { measured, bounds, data: await describeData(data) });
    await writeJson(out, RESULTS_FILE, results);
    return results;
  } finally {
    await lock.release();
  }
}

/** One variant at one seed. */
class Piece {
  private readonly folder: string;

  constructor(
    private readonly options: ExperimentOptions,
    private readonly seed: number,
    private readonly variant: Variant,
  ) {
    this.folder = `seed-${seed}/${folderName(variant.name)}`;
  }

  /** From pictures to numbers. */
  async measured(): Promise<Measured> {
    return this.once('measured.json', async () => {
      const { options, variant, seed } = this;
      const data = await this.timed('partition', () => partitionFor({ ...options, seed, variant }));
      if (variant.taughtBy) await this.timed(STUDENT_RUN, () => this.trainStudent(variant.taughtBy!));
      else
        for (let k = 0; k < variant.clusters; k++) await this.timed(expertRunName(k), () => this.trainExpert(k, data));
      if (variant.router) await this.timed(ROUTER_RUN, () => this.trainRouter(data));
      const model = await this.assemble(data);
      return this.timed('measure', async () => {
        const measured = await measureVariant({ ...options, seed, variant, model, data, real: await this.real(data) });
        return { ...measured, variant: { ...(await this.training()), ...measured.variant } };
      });
    });
  }

  /** What pictures of this data can be at best and at worst. */
  async bounds(): Promise<Measured> {
    return this.once('bounds.json', async () => {
      const { options, variant, seed } = this;
      const data = await partitionFor({ ...options, seed, variant });
      const model = folderStore(options.out, `${this.folder}/model`);
      return this.timed('bounds', async () =>
        measureBounds({ ...options, seed, variant, model, real: await this.real(data) }),
      );
    });
  }

  private async once(file: string, make: () => Promise<Measured>): Promise<Measured> {
    const { out } = this.options;
    const path = `${this.folder}/${file}`;
    const known = await readMeasured(out, path);
    if (known) return known;
    await writeJson(out, path, await make());
    return (await readMeasured(out, path))!; // as a later start reads it
  }

  private async trainExpert(cluster: number, data: FileStore): Promise<void> {
    const { design } = this.options;
    const { steps, batchSize, objectives, expertsOf } = this.variant;
    const config = ditConfig(design.size, objectives[cluster % objectives.length]);
    if (expertsOf) await this.copyExpert(cluster, expertsOf);
    const { conditionDropout, learningRate } = design;
    const training = { steps, batchSize, learningRate, seed: this.seed };
    await trainExpert({ ...this.controls(), data, cluster, architecture: dit, config, conditionDropout, training });
  }

  /** From the mixture of an earlier variant, on the pictures as that one has them. */
  private async trainStudent(by: NonNullable<Variant['taughtBy']>): Promise<void> {
    const { design, out } = this.options;
    const { steps, batchSize } = this.variant;
    const { conditionDropout, learningRate } = design;
    const variant = design.variants.find(({ name }) => name === by.variant)!;
    const data = await partitionFor({ ...this.options, seed: this.seed, variant });
    await trainStudent({
      ...{ ...this.controls(), data, conditionDropout, teacher: by.routing },
      model: folderStore(out, `seed-${this.seed}/${folderName(by.variant)}/model`),
      config: ditConfig(design.size),
      architecture: dit,
      training: { steps, batchSize, learningRate, seed: this.seed },
    });
  }

  /** The finished run of another variant; its record comes last, so that half of a copy is no run. */
  private async copyExpert(cluster: number, of: string): Promise<void> {
    const { out } = this.options;
    const [from, to] = [`seed-${this.seed}/${folderName(of)}/runs`, `${this.folder}/runs`].map(
      (folder) => `${folder}/${expertRunName(cluster)}`,
    ) as [string, string];
    if (await out.exists(`${to}/run.json`)) return;
    const paths = (await out.list(from)).filter((path) => !path.endsWith('/run.json'));
    for (const path of [...paths, `${from}/run.json`])
      await out.write(`${to}${path.slice(from.length)}`, await out.read(path));
  }

  private async trainRouter(data: FileStore): Promise<void> {
    const { size, reads, steps, batchSize, learningRate, share } = this.variant.router!;
    const source = await routerDataFor(this.options.out, data, { ...this.variant, seed: this.seed }, share);
    const training = { steps, batchSize, learningRate, seed: this.seed };
    const config: ReturnType<typeof routerConfig> = (sizes) =>
      routerConfig(size, reads === 'none' ? 'none' : defaultCondition(sizes))(sizes);
    const { conditionDropout } = this.options.design;
    await trainRouter({
      ...{ ...this.controls(), data: source, architecture: routerTransformer, config, training },
      ...(reads === 'words' && { conditionDropout }),
    });
  }

  private async assemble(data: FileStore): Promise<FileStore> {
    const { out, signal } = this.options;
    const model = folderStore(out, `${this.folder}/model`);
    const whole = !this.variant.taughtBy && (this.variant.router === undefined || this.variant.router.share === 1);
    const runs = folderStore(out, `${this.folder}/runs`);
    if (!(await model.exists('model_index.json'))) await assemble({ runs, out: model, ...(whole && { data }), signal });
    return model;
  }

  /** What training took, by the networks' shapes: 3 × a forward for each picture, a backward counting as two. */
  private async training(): Promise<{ [metric: string]: number }> {
    const { variant, options } = this;
    const model = folderStore(options.out, `${this.folder}/model`);
    return trainingCost(variant, model);
  }

  private controls() {
    const { device, out, onTrain, signal, checkpointEvery } = this.options;
    return {
      ...{ device, runs: folderStore(out, `${this.folder}/runs`) },
      ...(onTrain && { onEvent: onTrain }),
      ...(signal && { signal }),
      ...(checkpointEvery !== undefined && { checkpointEvery }),
    };
  }

  private async timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    return noteTime(this.options.out, `${this.folder}/${what}`, work);
  }

  private real(data: FileStore): Promise<RealPictures> {
    return readRealPictures(data, statisticsEncoder(this.options.design.measuring.features));
  }
}

/**
 * Makes the folder this experiment's, or finds that it is. Seeds and variants may be added: those that were done stay, since each
 * stands alone.
 */
async function claim(out: FileStore, design: Design, data: FileSource): Promise<void> {
  const wanted = await identityOf(design, data);
  if (!(await out.exists(EXPERIMENT_FILE))) {
    const other = (await entriesOf(out)).find((name) => name !== EXPERIMENT_FILE);
    if (other === undefined) return writeJson(out, EXPERIMENT_FILE, wanted);
    const what = `the output folder holds ${JSON.stringify(other)} and is no experiment of Paris`;
    throw new OutputError('experiment', `${what}. Give an empty folder, or one that is not there yet.`);
  }
  const found = await readJson(out, EXPERIMENT_FILE, z.record(z.string(), z.json()), 'experiment');
  const there = new Set([found.variants].flat().map((variant) => objectOf(variant)?.name));
  const variants = [wanted.variants!].flat().filter((variant) => there.has(objectOf(variant)?.name));
  const difference = firstDifference(found as Json, { ...wanted, variants }, '');
  if (!difference) {
    if (variants.length < design.variants.length) await writeJson(out, EXPERIMENT_FILE, wanted);
    return;
  }
  const { path, was, is } = difference;
  const what = path.startsWith('data.') ? 'other pictures' : `${path} was ${was} and is now ${is}`;
  throw new RunError('experiment', `the output folder holds another experiment: ${what}. Give another folder.`);
}

/** Everything that decides a number of the results, but for the seeds, each of which stands alone. */
async function identityOf(design: Design, data: FileSource): Promise<{ [name: string]: Json }> {
  const {
    seeds: _seeds,
    claims: _claims,
    published: _published,
    title: _title,
    question: _question,
    budget: _budget,
    ...decides
  } = design;
  const plain = JSON.parse(JSON.stringify(decides)) as { [name: string]: Json };
  const { sha256: digest, count } = await describeData(data);
  return { version: 1, ...plain, data: { sha256: digest, count } };
}

async function describeData(data: FileSource): Promise<ExperimentResults['data']> {
  const manifest = await readManifest(data);
  const held = await heldOutCount(data, manifest);
  return {
    sha256: await sha256(await data.read('manifest.json')),
    count: manifest.count,
    heldOut: held,
    size: manifest.size,
  };
}
