// `paris train codec`.
import { nodeStore } from '@paris/files/node';
import { CODEC_RUN } from '@paris/trainer/options';
import { Command } from 'commander';
import { checkOutputs, path } from '../../check-outputs.js';
import { configurable } from '../../config/configurable.js';
import { sectionOf } from '../../config/file.js';
import { gpuAction } from '../../gpu.js';
import { number, whole } from '../../option-values.js';
import { common, type Flags, learningFlags, runFolder, runsOf, watched } from './flags.js';

interface CodecFlags extends Flags {
  runs?: string;
  factor: number;
  latentChannels: number;
  blocks: number;
  latentNoise: number;
  latentPenalty: number;
}

/** Trains a codec. */
export function trainCodecCommand(): Command {
  const command = new Command('codec')
    .description('train a tiny autoencoder, so that experts learn latents of your own pictures')
    .argument('[data]', 'data folder of pixels; it need not be partitioned')
    .option('--out <folder>', "the codec's folder, for --codec of paris prepare: a new or an empty one", path)
    .option('--runs <folder>', 'where the run is kept (default: the name of --out with -runs)', path)
    .option('--factor <n>', 'how many times smaller latents are than pictures, a power of two', whole(1), 4)
    .option('--latent-channels <n>', 'channels of the latents', whole(1), 4)
    .option('--width <n>', "channels at the latents' size; half as many at each level above", whole(1), 64)
    .option('--blocks <n>', 'residual blocks of each level', whole(1), 1)
    .option('--latent-noise <x>', 'deviation of the noise on latents while it learns', number({ min: 0 }), 0.1)
    .option('--latent-penalty <x>', 'times the mean square of the latents, in the loss', number({ min: 0 }), 1e-3);
  configurable(command, ['out']);
  checkOutputs(command, 'train', (flags: CodecFlags, [data]) => ({
    folders: [
      ["the codec's folder", flags.out],
      ['the folder of runs', runsOf(flags)],
    ],
    reads: [
      ['the data folder', data],
      ['the tuning table', flags.tuning],
      ['the config file', flags.config && sectionOf(flags.config).file],
    ],
  }));
  learningFlags(command, undefined, 'of the same folder').addHelpText('after', examples);
  return gpuAction(
    command,
    async (context, flags: CodecFlags, data: string) => {
      const { codecConfig, makeCodec } = await import('@paris/trainer');
      const { factor, latentChannels, width, blocks, latentNoise, latentPenalty } = flags;
      const config = { ...codecConfig({ factor, latentChannels, width, blocks }), ...flags.network };
      const runs = { ...flags, out: runsOf(flags) };
      const out = nodeStore(flags.out);
      const { reporter } = context;
      await watched(context, runs, CODEC_RUN, async () => {
        const report = await makeCodec({ ...common(context, runs, data), out, config, latentNoise, latentPenalty });
        reporter.close();
        for (const [of, found] of [['training', report.training] as const, ['held-out', report.heldOut] as const])
          if (found) reporter.info(`${found.pictures} ${of} pictures drawn from latents: ${found.psnr.toFixed(1)} dB`);
        reporter.info(`the codec → ${flags.out}`);
      });
      return 0;
    },
    (flags) => runFolder({ ...flags, out: runsOf(flags) }, CODEC_RUN),
  );
}

const examples = `
Examples:
  paris train codec data/ --out codec/ --factor 4 --latent-channels 4
  paris prepare ./photos --size 32 --codec codec/ --out latents/
  paris assemble runs/ --data latents/ --codec codec/ --out my-model/`;
