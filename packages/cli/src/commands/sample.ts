import { DEFAULT_GUIDANCE, samplerName, samplerNames, scheduleName, scheduleNames } from '@paris/sampler/options';
import { Command, Option } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { gpuAction } from '../gpu.js';
import { folderOf, MODEL_ARGUMENT } from '../model-argument.js';
import { number, parsed, policyName, seed, whole } from '../option-values.js';
import { checkFlags, type SampleFlags } from '../sample/check-flags.js';
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
  command.hook('preAction', (own) => checkFlags(own.opts(), own.getOptionValueSource('count') === 'cli'));
  return gpuAction(command, async (context, flags: SampleFlags, model: string) => {
    const { draw } = await import('../sample/draw.js');
    return draw(context, flags, model, command);
  });
}

function whatToDraw(command: Command): void {
  command
    .option('--prompt <text>', 'what to draw: words, or a class by number or name; may be given several times', list)
    .option('--batch <file>', 'prompts in a text file, one a line, in place of --prompt', path)
    .option('--negative <text>', 'what to lead away from; needs guidance other than 1')
    .option('--like <picture>', 'draw a PNG again that this command wrote; other options change what they name', path)
    .option('--count <n>', 'pictures for each prompt; not with --like', whole(1), 4)
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
    .option('--sampler <name>', samplerNames.join(', '), named(samplerName), 'euler')
    .option('--schedule <name>', scheduleNames.join(', '), named(scheduleName), 'uniform')
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
