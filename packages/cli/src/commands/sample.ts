import { encodeJson } from '@paris/files';
import { nodeStore } from '@paris/files/node';
import { DEFAULT_GUIDANCE, encodePng, renderRouting, samplerByName, samplers } from '@paris/sampler';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { number, parsed, policyName, whole } from '../failure.js';
import { gpuAction } from '../gpu.js';
import { loadArchitecture } from '../modules.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { COMPILING } from '../reporter.js';
import { contactSheet, sample } from '../sample.js';

interface Flags {
  expert: string[];
  prompt: string[];
  out: string;
  tuning?: string;
  count: number;
  steps: number;
  seed: number;
  guidance: number;
  routing?: string;
  sampler: string;
  scale?: number;
  trace?: string;
  routingSvg?: string;
  allowUnknown?: boolean;
}

const samplerName = parsed((text) => {
  samplerByName(text);
  return text;
});

export function sampleCommand(): Command {
  const command = new Command('sample')
    .description('draw pictures for prompts')
    .argument('<model>', 'model folder')
    .requiredOption('--prompt <text>', 'what to draw; may be given several times', (text, all: string[] = []) => [
      ...all,
      text,
    ])
    .option('--out <file>', 'PNG with a row for each prompt', path, 'samples.png')
    .option('--count <n>', 'pictures for each prompt', whole(1), 4)
    .option('--steps <n>', 'sampling steps', whole(1), 30)
    .option('--seed <n>', 'decides the noise', whole(0), 0)
    .option(
      '--guidance <scale>',
      'how much the prompt is exaggerated; 1 is as trained',
      number({ min: 0 }),
      DEFAULT_GUIDANCE,
    )
    .option(
      '--routing <policy>',
      "top1, top2, full, threshold0.05, nucleus0.9, …; top2@0.5 divides the router's logits by a temperature of 0.5 (default: what the model says)",
      policyName,
    )
    .option('--sampler <name>', `${Object.keys(samplers).join(', ')}`, samplerName, 'euler')
    .option('--scale <n>', 'enlarge each pixel (default: pictures of about 128)', whole(1))
    .option(
      '--expert <file>',
      'a module with your own defineArchitecture(…); may be given several times',
      (file, all: string[]) => [...all, file],
      [],
    )
    .option(
      '--trace <file>',
      'JSON file of what each expert did and how far they agree, with intermediate pictures',
      path,
    )
    .option('--allow-unknown', 'draw prompts, too, of which the model knows no word')
    .option('--routing-svg <file>', 'SVG of which expert worked when', path)
    .addHelpText(
      'after',
      '\nExample:\n  paris sample my-model/ --prompt "smiling cat face" --count 16 --routing top2 --seed 7 --out grid.png',
    );
  checkOutputs(command, 'sample', ({ out, trace, routingSvg, expert, tuning }: Flags, [model]) => ({
    files: [
      ['the output file', out],
      ['the trace', trace],
      ['the drawing', routingSvg],
    ],
    reads: [
      ['the model folder', model],
      ['the tuning table', tuning],
      ...expert.map((file) => ['the module', file] as const),
    ],
  }));
  return gpuAction(command, async ({ device, reporter, signal }, flags: Flags, model: string) => {
    const {
      prompt: prompts,
      count,
      steps,
      seed,
      guidance,
      routing,
      sampler,
      out,
      trace: traceFile,
      routingSvg,
    } = flags;
    await tryOutputs('sample', [
      { option: '--out', file: out, format: 'PNG' },
      { option: '--trace', file: traceFile, format: 'JSON' },
      { option: '--routing-svg', file: routingSvg, format: 'SVG' },
    ]);
    const { images, trace, ...sampled } = await sample({
      device,
      model: nodeStore(model),
      prompts,
      count,
      seed,
      steps,
      guidance,
      routing,
      sampler,
      architectures: await Promise.all(flags.expert.map(loadArchitecture)),
      telemetry: traceFile !== undefined || routingSvg !== undefined,
      filmFrames: traceFile === undefined ? 0 : 6,
      onProgress: (done, total) => reporter.work('sample', done, total),
      ...(flags.allowUnknown && { allowUnknown: true }),
      onLoad: ({ loadedBytes, totalBytes }) => {
        reporter.alive();
        reporter.work('loading kB', Math.ceil(loadedBytes / 1000), Math.ceil(totalBytes / 1000));
        if (loadedBytes === totalBytes) reporter.info(COMPILING);
      },
      onWords: (prompt, { unknown, cut }) => {
        const quoted = JSON.stringify(prompt);
        if (unknown.length > 0) reporter.warn(`words of ${quoted} that the model does not know: ${listed(unknown)}`);
        if (cut.length > 0) reporter.warn(`words of ${quoted} beyond the text length, which are cut: ${listed(cut)}`);
      },
      signal,
    });
    const scale = flags.scale ?? Math.max(1, Math.round(128 / images[0]!.width));
    const svg = routingSvg === undefined ? '' : renderRouting(sampled.routing, { labels: sampled.prompts });
    await saveOutputs('sample', [
      { file: out, content: encodePng(contactSheet(images, count, scale)) },
      ...(traceFile === undefined ? [] : [{ file: traceFile, content: encodeJson(trace) }]),
      ...(routingSvg === undefined ? [] : [{ file: routingSvg, content: svg }]),
    ]);
    const used = trace.expertPictures.map((n, k) => `${k}: ${n}`).join(', ');
    reporter.info(`${images.length} pictures in ${trace.seconds.toFixed(1)} s → ${out}; expert runs ${used}`);
    return 0;
  });
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].join(', ');
}
