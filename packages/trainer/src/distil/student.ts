// One network that learns what a routed mixture predicts: it costs one expert to keep and to sample, and needs no router.
import { dit } from '@paris/dit';
import { type FileSource, readJson } from '@paris/files';
import { type Architecture, type Expert, expertFolder, toFlat, toTree } from '@paris/model';
import { type LoadedModel, loadModel } from '@paris/sampler';
import type { Key, TensorKey } from '@paris/tensor';
import { ValueError } from '@paris/tensor';
import { type BatchDraw, BatchDrawer, initKey, runKey } from '../data/batches.js';
import { readLabelled } from '../data/files.js';
import { type LabelledManifest, networkInput } from '../data/formats.js';
import type { Architectures } from '../evaluate/evaluate.js';
import { assertApart, assertRunApart } from '../output/apart.js';
import { STUDENT_RUN } from '../run/names.js';
import { type Json, jsonObject, objectOf, type RunRecord } from '../run/record.js';
import { companionsOf } from '../train/companions.js';
import { conditionOf, sizesOf } from '../train/conditions.js';
import type { TransformerSize } from '../train/defaults.js';
import type { ConfigFor } from '../train/expert.js';
import { denoisingLoss, noised, noisingBatch } from '../train/noising.js';
import { checkConditionDropout, recordedOptions, type TrainingOptions, trainingOptions } from '../train/options.js';
import type { Recipe } from '../train/recipe.js';
import { assertTakes } from '../train/takes.js';
import { type TimeDensity, uniformDensity } from '../train/time-density.js';
import { type TrainControls, train } from '../train/train.js';
import { type HeldOut, validationObserver } from '../train/validation.js';
import { openTeacher, type TeachingOptions } from './teacher.js';

/** Who is taught what by whom. */
export interface TrainStudentOptions extends TrainControls, TeachingOptions {
  /** The folder of a whole model. */
  model: FileSource;
  /** The data folder. `router` of it is opened: the training pictures of all clusters. */
  data: FileSource;
  /** Default: that of the teacher's first expert. */
  architecture?: Architecture<Expert> | undefined;
  /** The student's config.json. It predicts the velocity on the teacher's path. Default: that of the teacher's first expert. */
  config?: ConfigFor | undefined;
  /** Without a config: in what the student's transformer differs from that of the teacher's first expert, which is a DiT. */
  size?: { readonly [part in keyof TransformerSize]?: number | undefined } | undefined;
  /** Further fields of the student's config.json, which win. */
  network?: { readonly [name: string]: Json } | undefined;
  training?: Partial<TrainingOptions>;
  /** Probability of learning what the teacher predicts without the caption, as for experts. Default 0.1. */
  conditionDropout?: number;
  /** How often each noise level is learned from. Default `uniformDensity`. */
  times?: TimeDensity;
  /** Architectures of the teacher in addition to the built-in ones. */
  architectures?: Architectures | undefined;
}

/**
 * Trains one student on the whole training set: the mean of ‖v_student(x_t, t) − v_teacher(x_t, t)‖² over pictures, times and noise
 * (DDM, arXiv 2501.05450, §4.6). It is resumed as any training, with the same bytes. The run is `student`; assembled by itself it
 * is a model of one expert.
 * @throws as `trainExpert` does, and DataError if the teacher and the data do not fit
 */
export async function trainStudent(options: TrainStudentOptions): Promise<RunRecord> {
  const { experts = [], ...parts } = options.architectures ?? {};
  const { device, signal } = options;
  const teacher = await loadModel(options.model, {
    device,
    architectures: experts,
    ...parts,
    ...(signal && { signal }),
  });
  try {
    return await train(await studentRecipe(options, teacher), options);
  } finally {
    await teacher.close();
  }
}

/**
 * What {@link trainStudent} trains.
 * @param model - the teacher, which is to stay open as long as the recipe is used
 */
async function studentRecipe(options: TrainStudentOptions, model: LoadedModel): Promise<Recipe> {
  const { device, conditionDropout = 0.1, times = uniformDensity } = options;
  checkConditionDropout(conditionDropout);
  const training = trainingOptions(options.training ?? {});
  await assertRunApart(options, STUDENT_RUN);
  const place = { what: 'the folder of runs', store: options.runs };
  await assertApart('distil', [place], [{ what: 'the teacher', store: options.model }]);
  const data = await readLabelled(options.data, 'router');
  const { manifest, labels, rows } = data;
  const { experts: _, ...parts } = options.architectures ?? {};
  const teaching = { data: options.data, manifest, parts, teacher: options.teacher, guidance: options.guidance };
  const teacher = await openTeacher(options.model, model, teaching);
  const { path, condition } = teacher;
  const { student, architecture, config } = await studentOf(options, path.name, manifest);
  assertTakes('expert', student, manifest, condition);
  const run = runKey(training.seed, 'student');
  const drawer = new BatchDrawer(run, {
    count: manifest.count,
    batchSize: training.batchSize,
    conditionDropout,
    times,
  });
  const tensorsOf = async (from: Pick<HeldOut, 'rows' | 'manifest' | 'labels'>, draw: BatchDraw) => {
    const tensors = await noisingBatch(draw, from.rows, from.manifest, path, condition);
    const own = Array.from(draw.indices, (row) => from.labels[row]!);
    return { ...tensors, target: await teacher.teach(tensors, draw, own) };
  };
  const recipe: Recipe = {
    name: STUDENT_RUN,
    identity: {
      kind: 'student',
      options: {
        ...recordedOptions(training),
        conditionDropout,
        objective: { prediction: 'velocity', path: path.name },
        times: times.name,
        architecture,
        config,
        condition: condition.kind,
        teacher: teacher.identity,
      },
      data: { sha256: data.sha256, count: manifest.count },
    },
    companions: await companionsOf(data, device),
    training,
    initKey: initKey(run),
    init: (from: Key | TensorKey) => toFlat(student.init(from)),
    async batch(step) {
      const draw = drawer.draw(step);
      return { tensors: await tensorsOf({ rows, manifest, labels }, draw), noise: draw.noise };
    },
    loss: lossOf(student),
  };
  if (!options.validation) return recipe;
  const validated = { device, learning: recipe, format: manifest, tensors: tensorsOf };
  return { ...recipe, observers: [await validationObserver(options.validation, validated)] };
}

/** Velocities of the student against those that it is taught. */
function lossOf(student: Expert): Recipe['loss'] {
  return (params, batch, noise, dtype) => {
    const condition = conditionOf(batch, dtype);
    const latents = noised(batch, noise).latents.cast(dtype);
    const output = student.apply(toTree(params), { latents, time: batch.time!, ...(condition && { condition }) });
    return { loss: denoisingLoss(output.cast('f32'), batch.target!) };
  };
}

/** The student for the pictures of a data folder, on the teacher's path. */
async function studentOf(
  options: TrainStudentOptions,
  path: string,
  manifest: LabelledManifest,
): Promise<{ student: Expert; architecture: string; config: ReturnType<ConfigFor> }> {
  const { architecture, config: configFor } = await networkOf(options, path);
  const config = configFor({ ...networkInput(manifest), ...sizesOf(manifest) });
  const student = architecture.fromConfig(config);
  assertObjective(student, path);
  return { student, architecture: architecture.architecture, config };
}

/** The student's network: what was given, else that of the teacher's first expert, which then predicts the velocity. */
async function networkOf(
  { model: store, architecture, config, architectures, size = {}, network }: TrainStudentOptions,
  path: string,
): Promise<{ architecture: Architecture<Expert>; config: ConfigFor }> {
  if (architecture && config) return { architecture, config };
  const { architecture: name, ...own } = await readJson(store, `${expertFolder(0)}/config.json`, jsonObject, 'distil');
  const known = [...(architectures?.experts ?? []), dit];
  const found = architecture ?? known.find((each) => each.architecture === name);
  if (!found) {
    const what = `the architecture ${JSON.stringify(name)} of the teacher's experts cannot be made here`;
    throw new ValueError('distil', `${what}. Give the student's architecture and config.`);
  }
  const objective: Json = { prediction: 'velocity', path };
  if (Object.values(size).some((value) => value !== undefined) && found.architecture !== dit.architecture) {
    const what = `the teacher's experts are of the architecture ${JSON.stringify(found.architecture)}`;
    throw new ValueError(
      'distil',
      `${what}, whose size has other names. Give the fields of its config.json as network.`,
    );
  }
  return { architecture: found, config: config ?? (() => ({ ...own, ...resized(own, size), objective, ...network })) };
}

/** The fields of a DiT's config that a size decides; words are as wide as the transformer that reads them. */
function resized(
  own: { [name: string]: Json },
  { width, depth, heads, patch }: NonNullable<TrainStudentOptions['size']>,
) {
  const condition = objectOf(own.condition);
  return {
    ...(width !== undefined && { hiddenSize: width }),
    ...(width !== undefined && condition?.kind === 'tokens' && { condition: { ...condition, width } }),
    ...(depth !== undefined && { depth }),
    ...(heads !== undefined && { heads }),
    ...(patch !== undefined && { patchSize: patch }),
  };
}

/** @throws ValueError for a student of another path or prediction: what it is taught are velocities */
function assertObjective({ objective }: Expert, path: string): void {
  if (objective.prediction === 'velocity' && objective.path === path) return;
  const is = `${objective.prediction} on the path ${objective.path}`;
  throw new ValueError(
    'distil',
    `the student predicts ${is}. Let it predict the velocity on ${path}, as the teacher does.`,
  );
}
