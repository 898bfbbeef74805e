import { nodeStore } from '@paris/files/node';
import { defaultSize } from '@paris/trainer';
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
  fresh?: boolean;
  json?: boolean;
}

export function prepareCommand(): Command {
  return new Command('prepare')
    .description('decode, resize, caption and split a folder of pictures')
    .argument('<folder>', 'pictures: PNG, JPEG, WebP, GIF, AVIF, TIFF, SVG; subfolders too')
    .requiredOption('--out <folder>', 'data folder to write: a new or an empty one, or one to prepare again', path)
    .option(
      '--captions <file>',
      'CSV with the columns file and caption, optional group, category, licence, source; comma, semicolon or tab',
    )
    .option('--size <pixels>', 'edge length', whole(1), 32)
    .option('--holdout <share>', 'share of the groups that no training sees', number({ min: 0, max: 1 }), 0.1)
    .option('--seed <n>', 'decides the split', whole(0), 0)
    .option('--vocabulary <words>', 'most words in the vocabulary', whole(0), 1000)
    .addOption(
      new Option('--fit <how>', 'cut or pad what is not square').choices(['cover', 'contain']).default('cover'),
    )
    .option('--background <colour>', 'what transparent pictures stand on', '#ffffff')
    .option('--fresh', 'prepare other pictures into a folder that is partitioned: its clusters are removed')
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
      const { manifest, missing, repeated, cut, others } = report;
      warnAboutSkipped(reporter, manifest.skipped);
      warnAbout(reporter, 'captions without a picture', missing);
      warnAbout(reporter, 'files with several captions (the first counts)', repeated);
      warnAbout(reporter, `captions of more than ${manifest.maxTokens} words (the rest is not learned)`, cut);
      warnAboutSize(reporter, manifest.size);
      const rest = Object.entries(others).map(([extension, count]) => `${count} ${extension}`);
      if (rest.length > 0) reporter.info(`files that are no pictures: ${rest.join(', ')}`);
      const test = manifest.items.filter((item) => item.split === 'test').length;
      reporter.info(
        `${manifest.count - test} pictures for training, ${test} held out, ${manifest.vocabulary.length - 2} words → ${out}`,
      );
    });
}

/** A line for each reason, of which broken files may have many. */
function warnAboutSkipped(reporter: Reporter, skipped: readonly { file: string; reason: string }[]): void {
  const byReason = new Map<string, string[]>();
  for (const { file, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), file]);
  const reasons = [...byReason].sort(([, a], [, b]) => b.length - a.length);
  for (const [reason, files] of reasons.slice(0, 10)) {
    const shown = files.slice(0, 5).join(', ');
    reporter.warn(`skipped, ${files.length}: ${shown}${files.length > 5 ? ', …' : ''} (${reason})`);
  }
  const rest = reasons.slice(10).reduce((sum, [, files]) => sum + files.length, 0);
  if (rest > 0) reporter.warn(`skipped, ${rest} more for other reasons: manifest.json has them all`);
}

/** Training refuses what its patches do not divide. */
function warnAboutSize(reporter: Reporter, size: number): void {
  if (size % defaultSize.patch === 0) return;
  const patches = Array.from({ length: size }, (_, i) => i + 1).filter((patch) => size % patch === 0);
  const shown = patches.slice(0, 8).join(', ');
  reporter.warn(
    `pictures of ${size} pixels have no whole number of patches of ${defaultSize.patch}, as training takes them: ` +
      `prepare with another --size, or train with a --patch of ${shown}`,
  );
}

function warnAbout(reporter: Reporter, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 5).join(', ');
  reporter.warn(`${what}, ${names.length}: ${shown}${names.length > 5 ? ', …' : ''}`);
}
