import { nodeStore } from '@paris/files/node';
import { prepare } from '@paris/trainer/node';
import { Command, Option } from 'commander';
import { path } from '../check-outputs.js';
import { number, whole } from '../failure.js';
import { ignoredAdapter } from '../gpu.js';
import { createReporter, type Reporter } from '../reporter.js';
import { stoppable } from '../stop.js';

interface Flags {
  out: string;
  captions?: string;
  size: number;
  holdout: number;
  seed: number;
  vocabulary: number;
  fit: 'cover' | 'contain';
  background: string;
  json?: boolean;
}

export function prepareCommand(): Command {
  return new Command('prepare')
    .description('decode, resize, caption and split a folder of pictures')
    .argument('<folder>', 'pictures: PNG, JPEG, WebP, GIF, AVIF, TIFF, SVG; subfolders too')
    .requiredOption('--out <folder>', 'data folder to write: a new or an empty one, or one to prepare again', path)
    .option('--captions <file>', 'CSV with the columns file and caption, optional group, category, licence, source')
    .option('--size <pixels>', 'edge length', whole(1), 32)
    .option('--holdout <share>', 'share of the groups that no training sees', number({ min: 0, max: 1 }), 0.1)
    .option('--seed <n>', 'decides the split', whole(0), 0)
    .option('--vocabulary <words>', 'most words in the vocabulary', whole(0), 1000)
    .addOption(
      new Option('--fit <how>', 'cut or pad what is not square').choices(['cover', 'contain']).default('cover'),
    )
    .option('--background <colour>', 'what transparent pictures stand on', '#ffffff')
    .option('--json', 'print progress as JSON lines on stdout')
    .addOption(ignoredAdapter())
    .addHelpText('after', '\nExample:\n  paris prepare ./photos --captions captions.csv --size 32 --out data/')
    .action(async (source: string, flags: Flags) => {
      const reporter = createReporter(flags.json === true);
      const { out, vocabulary, json: _, ...options } = flags;
      const report = await stoppable((signal) =>
        prepare({
          ...options,
          source,
          out: nodeStore(out),
          vocabularyLimit: vocabulary,
          onProgress: (done, total) => reporter.work('pictures', done, total),
          signal,
        }).finally(() => reporter.close()),
      );
      const { manifest, missing, repeated } = report;
      warnAbout(
        reporter,
        'skipped',
        manifest.skipped.map(({ file, reason }) => `${file} (${reason})`),
      );
      warnAbout(reporter, 'captions without a picture', missing);
      warnAbout(reporter, 'files with several captions (the first counts)', repeated);
      const test = manifest.items.filter((item) => item.split === 'test').length;
      reporter.info(
        `${manifest.count - test} pictures for training, ${test} held out, ${manifest.vocabulary.length - 2} words → ${out}`,
      );
    });
}

function warnAbout(reporter: Reporter, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 5).join(', ');
  reporter.warn(`${what}, ${names.length}: ${shown}${names.length > 5 ? ', …' : ''}`);
}
