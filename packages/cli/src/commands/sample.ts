import { join } from 'node:path';
import { encodeJson } from '@paris/files';
import {
  DEFAULT_GUIDANCE,
  encodePng,
  type Pipeline,
  type Residency,
  renderRouting,
  samplerByName,
  samplers,
  scheduleByName,
  schedules,
} from '@paris/sampler';
import { encodeMadePng, markPng } from '@paris/sampler/metadata';
import { Command, Option } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { loadReports } from '../loading.js';
import { folderOf, MODEL_ARGUMENT } from '../model-argument.js';
import { loadArchitecture } from '../modules.js';
import { number, parsed, policyName, seed, whole } from '../option-values.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { readMask, readPicture, readPrompts } from '../pictures.js';
import { COMPILING, type Reporter } from '../reporter.js';
import { checkFlags, guidanceFlags, nearbyFlags, type SampleFlags } from '../sample/check-flags.js';
import { type Like, likeOf } from '../sample/like.js';
import { contactSheet, enlarge, type Sampled, type SampleOptions, sample } from '../sample/sample.js';
import { htmlSheet } from '../sample/sheet.js';
import { expertsOption, memoryBudgetOption } from '../shared-options.js';

const named = (find: (name: string) => unknown) =>
  parsed((text) => {
    find(text);
    return text;
  });
const share = number({ min: 0, max: 1 });
const shift = number({ min: 0.01, max: 100 });
const list = (file: string, all: string[] = []) => [...all, file];

export function sampleCommand(): Command {
  const command = new Command('sample').description('draw pictures for prompts').argument('<model>', MODEL_ARGUMENT);
  whatToDraw(command);
  howToDraw(command);
  whereToWrite(command);
  command.addHelpText(
    'after',
    '\nExamples:\n  paris sample my-model/ --prompt "smiling cat face" --count 16 --routing top2 --seed 7 --out grid.png\n  paris sample my-model/ --prompt "cat" --image photo.jpg --strength 0.6 --count 1 --out cat.png\n  paris sample my-model/ --like cat.png --out again.png\n  paris sample my-model/ --batch prompts.txt --singles pictures/ --out sheet.html',
  );
  checkOutputs(command, 'sample', ({ out, trace, routingSvg, singles, ...flags }: SampleFlags, [model]) => ({
    files: [
      ['the output file', out],
      ['the trace', trace],
      ['the drawing', routingSvg],
    ],
    folders: [['the folder of single pictures', singles]],
    reads: [
      ['the model folder', folderOf(model)],
      ['the tuning table', flags.tuning],
      ['the prompts', flags.batch],
      ['the picture', flags.image],
      ['the mask', flags.mask],
      ['the weaker model', folderOf(flags.autoguidance)],
      ['the picture to draw again', flags.like],
      ...flags.expert.map((file) => ['the module', file] as const),
    ],
  }));
  command.hook('preAction', (own) => checkFlags(own.opts()));
  return gpuAction(command, async ({ device, reporter, signal }, flags: SampleFlags, model: string) => {
    const { out, trace: traceFile, routingSvg } = flags;
    const isSheet = /\.html?$/i.test(out);
    await tryOutputs('sample', [
      { option: '--out', file: out, format: isSheet ? 'HTML' : 'PNG' },
      { option: '--trace', file: traceFile, format: 'JSON' },
      { option: '--routing-svg', file: routingSvg, format: 'SVG' },
    ]);
    const like = flags.like === undefined ? undefined : await likeOf(flags.like, flags, command);
    const { autoguidance, autoguidanceScale: scale = like?.autoguidanceScale ?? 2 } = flags;
    const sampled = await sample({
      ...(like ? like.options : plain(flags, await promptsOf(flags))),
      ...(autoguidance !== undefined && { autoguidance: { weaker: autoguidance, scale } }),
      ...{ device, model, memoryBudgetBytes: flags.memoryBudget, compare: flags.compare },
      onModel: (pipeline) => picturesOf(pipeline, flags, like, reporter),
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
  });
}

function whatToDraw(command: Command): void {
  command
    .option('--prompt <text>', 'what to draw: words, or a class by number or name; may be given several times', list)
    .option('--batch <file>', 'prompts in a text file, one a line, in place of --prompt', path)
    .option('--negative <text>', 'what to lead away from; needs guidance other than 1')
    .option('--like <picture>', 'draw a PNG again that this command wrote; other options change what they name', path)
    .option('--count <n>', 'pictures for each prompt', whole(1), 4)
    .option('--seed <n>', 'decides the noise', seed, 0)
    .option('--variation-strength <share>', 'pictures like the first one of --seed: how far each moves away', share)
    .option('--variation-seed <n>', 'towards whose noise (default: the next seed)', seed)
    .option('--interpolate-seed <n>', '--count pictures on the way from the noise of --seed to that of this one', seed)
    .option('--interpolate-prompt <text>', '--count pictures on the way from --prompt to this one')
    .option('--image <file>', 'a picture to start from; it is cut and resized to the size that the model draws', path)
    .option('--strength <share>', 'how much of --image is drawn again (default: 0.8, with --mask 1)', share)
    .option('--mask <file>', 'a picture, white where --image is drawn again; black pixels are kept exactly', path);
}

function howToDraw(command: Command): void {
  command
    .option('--steps <n>', 'sampling steps', number({ min: 1, max: 10_000, whole: true }), 30)
    .option('--sampler <name>', Object.keys(samplers).join(', '), named(samplerByName), 'euler')
    .option('--schedule <name>', Object.keys(schedules).join(', '), named(scheduleByName), 'uniform')
    .option(
      '--shift <n>',
      'more steps where there is much noise; 3 is usual for large pictures (default: what the model says)',
      shift,
    )
    .option(
      '--guidance <scale>',
      `how much the prompt is exaggerated; 1 is as trained (default: ${DEFAULT_GUIDANCE}, with --autoguidance 1)`,
      number({ min: 0 }),
    )
    .option('--guidance-start <share>', 'from which share of the way on: 0 is noise', share)
    .option('--guidance-stop <share>', 'up to which share of the way: 1 is the picture', share)
    .option('--guidance-rescale <share>', 'how far contrast is brought back, 0 to 1', share)
    .addOption(new Option('--guidance-kind <name>', 'how it is applied').choices(['cfg', 'apg']))
    .option('--autoguidance <model>', 'a weaker model to lead away from, such as an earlier checkpoint', path)
    .option('--autoguidance-scale <n>', 'how far; 1 is the model alone (default: 2)', number({}))
    .option(
      '--routing <policy>',
      "top1, top2, full, threshold0.05, nucleus0.9, …; top2@0.5 divides the router's logits by a temperature of 0.5, resident-top2 asks only experts that are loaded (default: what the model says)",
      policyName,
    )
    .option('--compare <policies>', 'draw the same seeds under each of these policies, separated by commas', (text) =>
      text.split(',').map(policyName),
    )
    .addOption(memoryBudgetOption())
    .addOption(expertsOption())
    .option('--allow-unknown', 'draw prompts, too, of which the model knows no word');
}

function whereToWrite(command: Command): void {
  command
    .option('--out <file>', 'PNG with a row for each prompt, or an HTML contact sheet (.html)', path, 'samples.png')
    .option('--singles <folder>', 'also each picture as a PNG of its own size', path)
    .option('--no-metadata', 'do not write into pictures how they were made')
    .option('--scale <n>', 'enlarge each pixel (default: pictures of about 128)', whole(1))
    .option(
      '--trace <file>',
      'JSON file of what each expert did and how far they agree, with intermediate pictures',
      path,
    )
    .option('--routing-svg <file>', 'SVG of which expert worked when', path);
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

async function write(sampled: Sampled, flags: SampleFlags, like: Like | undefined, isSheet: boolean): Promise<void> {
  const { images, prompts, routing, trace } = sampled;
  const { out, trace: traceFile, routingSvg, singles, metadata } = flags;
  const scale = flags.scale ?? (like ? like.scaleOf(images[0]!) : Math.max(1, Math.round(128 / images[0]!.width)));
  const columns = like ? images.length : flags.count;
  const png = (image: Sampled['images'][number]) => (metadata ? encodeMadePng(image) : encodePng(image));
  const grid = () => {
    const sheet = contactSheet(images, columns, scale);
    return metadata && images.length > 1 ? markPng(encodePng(sheet)) : png(sheet);
  };
  const content = isSheet
    ? htmlSheet(
        images.map((image) => enlarge(image, 1)),
        prompts,
        metadata,
      )
    : grid();
  const alone = images.map((image, i) => ({ file: join(singles ?? '', `${String(i).padStart(4, '0')}.png`), image }));
  await saveOutputs('sample', [
    { file: out, content },
    ...(singles === undefined ? [] : alone.map(({ file, image }) => ({ file, content: png(image) }))),
    ...(traceFile === undefined ? [] : [{ file: traceFile, content: encodeJson(trace) }]),
    ...(routingSvg === undefined ? [] : [{ file: routingSvg, content: renderRouting(routing, { labels: prompts }) }]),
  ]);
}

function saidResidency({ loads, evictions, loadedBytes, peakBytes, loadMilliseconds }: Residency): string {
  const [loaded, peak] = [loadedBytes, peakBytes].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
  const seconds = (loadMilliseconds / 1000).toFixed(1);
  return `experts loaded ${loads} times (${loaded}, ${seconds} s), ${evictions} left for others, at most ${peak} at once`;
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].join(', ');
}
