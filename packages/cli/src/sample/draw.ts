// What `paris sample` does: it draws, and writes pictures, sheets and traces.
import { encodePng, type Pipeline, type Residency, renderRouting } from '@paris/sampler';
import { encodeMadePng, markPng } from '@paris/sampler/metadata';
import type { Command } from 'commander';
import type { GpuContext } from '../gpu.js';
import { loadReports } from '../loading.js';
import { loadArchitecture } from '../modules.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { readMask, readPicture, readPrompts } from '../pictures.js';
import { COMPILING, type Reporter } from '../reporter.js';
import { guidanceFlags, nearbyFlags, type SampleFlags } from './check-flags.js';
import { type Like, likeOf } from './like.js';
import { checkSheet, contactSheet, enlarge, type Sampled, type SampleOptions, sample } from './sample.js';
import { htmlSheet } from './sheet.js';
import { singleFiles, trySingles } from './singles.js';

/**
 * Draws what the flags say.
 * @param command - whose flags they are: those that were given win over the picture of --like
 * @returns the exit code
 */
export async function draw(
  { device, reporter, signal }: GpuContext,
  flags: SampleFlags,
  model: string,
  command: Command,
): Promise<number> {
  const { out, trace: traceFile, routingSvg } = flags;
  const isSheet = /\.html?$/i.test(out);
  await tryOutputs('sample', [
    { option: '--out', file: out, format: isSheet ? 'HTML' : 'PNG' },
    { option: '--trace', file: traceFile, format: 'JSON' },
    { option: '--routing-svg', file: routingSvg, format: 'SVG' },
  ]);
  const like = flags.like === undefined ? undefined : await likeOf(flags.like, flags, command);
  const options = like ? like.options : plain(flags, await promptsOf(flags));
  const { autoguidance, autoguidanceScale: scale = like?.autoguidanceScale ?? 2, compare } = flags;
  const count = options.prompts.length * options.count * (compare?.length ?? 1);
  await trySingles(singleFiles(flags.singles, count));
  const sampled = await sample({
    ...options,
    ...(autoguidance !== undefined && { autoguidance: { weaker: autoguidance, scale } }),
    ...{ device, model, memoryBudgetBytes: flags.memoryBudget, compare },
    onModel: async (pipeline) => {
      const size = await pipeline.pictureSize();
      if (!isSheet) checkSheet(size, { count, ...layoutOf(flags, like, count, size) });
      return picturesOf(pipeline, flags, like, reporter);
    },
    architectures: await Promise.all(flags.expert.map(loadArchitecture)),
    telemetry: traceFile !== undefined || routingSvg !== undefined || flags.json === true,
    filmFrames: traceFile === undefined ? 0 : 6,
    ...(flags.allowUnknown && { allowUnknown: true }),
    ...reports(reporter),
    signal,
  });
  await write(sampled, flags, like, isSheet);
  const used = sampled.trace.expertPictures.map((n, k) => `${k}: ${n}`).join(', ');
  const { images, trace } = sampled;
  if (trace.residency) reporter.info(saidResidency(trace.residency));
  reporter.info(`${images.length} pictures in ${trace.seconds.toFixed(1)} s → ${out}; expert runs ${used}`);
  reporter.result({ ...trace, pictures: trace.pictures.map(({ png: _, film: __, ...picture }) => picture) });
  return 0;
}

/** What flags say where no picture is drawn again. */
function plain(flags: SampleFlags, prompts: readonly string[]): Like['options'] {
  const { seed, count, steps, routing, sampler, schedule, shift, negative } = flags;
  const more = {
    ...nearbyFlags(flags, prompts),
    ...(negative !== undefined && { negativePrompt: negative }),
    ...(shift !== undefined && { shift }),
  };
  return { prompts, count, seed, steps, guidance: guidanceFlags(flags), routing, sampler, schedule, more };
}

async function promptsOf({ prompt = [], batch }: SampleFlags): Promise<readonly string[]> {
  return batch === undefined ? prompt : readPrompts(batch);
}

/** Pictures to start from, at the model's size. */
async function picturesOf(
  pipeline: Pipeline,
  { image, mask, strength }: SampleFlags,
  like: Like | undefined,
  reporter: Reporter,
): Promise<SampleOptions['more']> {
  like?.check(pipeline.modelHash, (message) => reporter.warn(message));
  const size = image === undefined && mask === undefined ? undefined : await pipeline.pictureSize();
  return {
    ...(strength !== undefined && { strength }),
    ...(size && image !== undefined && { image: await readPicture('--image', image, size) }),
    ...(size && mask !== undefined && { mask: await readMask(mask, size) }),
  };
}

function reports(
  reporter: Reporter,
): Pick<SampleOptions, 'onProgress' | 'onLoad' | 'onDownload' | 'onNotice' | 'onWords'> {
  const { onLoad, onDownload } = loadReports(reporter);
  let isDrawing = false;
  return {
    onDownload,
    onProgress: (done, total) => {
      isDrawing = true;
      reporter.work('sample', done, total);
    },
    onLoad: (progress) => {
      if (isDrawing) return reporter.alive(); // under a memory budget experts come in between
      onLoad(progress);
      if (progress.loadedBytes === progress.totalBytes) reporter.info(COMPILING);
    },
    onNotice: (line) => reporter.info(line),
    onWords: (prompt, { unknown, cut }) => {
      const quoted = JSON.stringify(prompt);
      if (unknown.length > 0) reporter.warn(`words of ${quoted} that the model does not know: ${listed(unknown)}`);
      if (cut.length > 0) reporter.warn(`words of ${quoted} beyond the text length, which are cut: ${listed(cut)}`);
    },
  };
}

/** How pictures lie on a PNG, and how large each pixel is. */
function layoutOf(
  { scale, count }: SampleFlags,
  like: Like | undefined,
  pictures: number,
  size: { readonly width: number },
): { columns: number; scale: number } {
  const usual = like ? like.scaleOf(size) : Math.max(1, Math.round(128 / size.width));
  return { columns: like ? pictures : count, scale: scale ?? usual };
}

async function write(sampled: Sampled, flags: SampleFlags, like: Like | undefined, isSheet: boolean): Promise<void> {
  const { images, prompts, routing, trace } = sampled;
  const { out, trace: traceFile, routingSvg, singles, metadata } = flags;
  const { columns, scale } = layoutOf(flags, like, images.length, images[0]!);
  const png = (image: Sampled['images'][number]) => (metadata ? encodeMadePng(image) : encodePng(image));
  const grid = () => {
    const sheet = contactSheet(images, columns, scale);
    return metadata && images.length > 1 ? markPng(encodePng(sheet)) : png(sheet);
  };
  // First what is of one picture: whatever a sheet of all of them meets, those are there.
  const alone = singleFiles(singles, images.length);
  await saveOutputs(
    'sample',
    alone.map((file, i) => ({ file, content: png(images[i]!) })),
  );
  const content = isSheet
    ? htmlSheet(
        images.map((image) => enlarge(image, 1)),
        prompts,
        metadata,
      )
    : grid();
  await saveOutputs('sample', [
    { file: out, content },
    ...(traceFile === undefined ? [] : [{ file: traceFile, content: encodeTrace(trace) }]),
    ...(routingSvg === undefined ? [] : [{ file: routingSvg, content: renderRouting(routing, { labels: prompts }) }]),
  ]);
}

/** Picture by picture: all of them may be more than a text can hold. */
function encodeTrace({ pictures, ...rest }: Sampled['trace']): Uint8Array {
  const [head] = JSON.stringify({ ...rest, pictures: [] }, null, 2).split(/\]\s*\}$/);
  const parts = pictures.map((picture, i) => `${i === 0 ? '' : ','}\n${JSON.stringify(picture, null, 2)}`);
  return Buffer.concat([head!, ...parts, '\n]}\n'].map((part) => Buffer.from(part)));
}

function saidResidency({ loads, evictions, loadedBytes, peakBytes, loadMilliseconds }: Residency): string {
  const [loaded, peak] = [loadedBytes, peakBytes].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  const seconds = (loadMilliseconds / 1000).toFixed(1);
  return `experts loaded ${loads} times (${loaded}, ${seconds} s), ${evictions} left for others, at most ${peak} at once`;
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].join(', ');
}
