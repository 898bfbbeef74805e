import { readFile } from 'node:fs/promises';
import { nodeStore } from '@paris/files/node';
import type { LabelSet } from '@paris/model';
import type { PrepareOptions, Shard } from '@paris/trainer/node';
import { type Columns, DataError, type Field, pictureFields } from '@paris/trainer/options';
import { Command, InvalidArgumentError, Option } from 'commander';
import { path } from '../check-outputs.js';
import { reportData, warnAbout } from '../data-report.js';
import { type GpuFlags, gpuOptions, onGpu } from '../gpu.js';
import { partAt } from '../modules.js';
import { number, whole } from '../option-values.js';
import { createReporter, type Reporter } from '../reporter.js';
import { shardBytes, shardSizeOption } from '../shard-size.js';
import { nearCopiesOption, splitOptions } from '../shared-options.js';
import { stoppable } from '../stop.js';

interface Flags extends GpuFlags {
  out: string;
  captions?: string;
  columns?: Columns;
  size: number;
  holdout: number;
  seed: number;
  vocabulary: number;
  fit: 'cover' | 'contain';
  background: string;
  like?: string;
  shard?: Shard;
  minSide?: number;
  maxAspect?: number;
  minScore?: number;
  requireLicense?: string[];
  nearCopies: boolean;
  shardSize: number;
  s3Endpoint?: string;
  codec?: string;
  text?: string;
  labels?: string | true;
  thumbnail?: number;
  fresh?: boolean;
}

export function prepareCommand(): Command {
  const command = new Command('prepare')
    .description('decode, resize, caption, split and encode pictures')
    .argument(
      '<source...>',
      'folders of pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF, SVG; subfolders too), tar shards (WebDataset) and parquet files; archives also by http(s) and s3://bucket/key, or all of s3://bucket/prefix',
    )
    .requiredOption('--out <folder>', 'data folder to write: a new or an empty one, or one to prepare again', path);
  whereCaptionsAre(command);
  command.option('--size <pixels>', 'edge length', whole(1), 32);
  splitOptions(command);
  command
    .addOption(
      new Option('--fit <how>', 'cut or pad what is not square').choices(['cover', 'contain']).default('cover'),
    )
    .option('--background <colour>', 'what transparent pictures stand on', '#ffffff');
  whichToSkip(command);
  command
    .addOption(
      new Option('--like <folder>', 'take size, vocabulary and held-out groups as in that data folder').conflicts([
        'size',
        'vocabulary',
        'holdout',
        'seed',
        'thumbnail',
      ]),
    )
    .option('--shard <i/n>', 'prepare part i of n, counted from 1; paris merge puts the parts together', shard)
    .addOption(shardSizeOption())
    .option(
      '--s3-endpoint <url>',
      'server of s3:// addresses, where it is not AWS; keys and region are those of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION',
    );
  whatToKeep(command);
  command
    .addOption(nearCopiesOption())
    .option('--fresh', 'prepare other pictures into a folder that is partitioned: its clusters are removed')
    .addHelpText('after', examples);
  // Only networks need an adapter: pictures alone are prepared in this process.
  return gpuOptions(command).action(async (source: string[], flags: Flags) => {
    if (flags.codec !== undefined || flags.text !== undefined) {
      await onGpu(flags, async ({ device, reporter, signal }) => {
        const { loadCodec, loadTextEncoder } = await import('@paris/trainer');
        const codec = flags.codec === undefined ? undefined : await loadCodec(device, partAt(flags.codec));
        const text = flags.text === undefined ? undefined : await loadTextEncoder(device, partAt(flags.text));
        await run(source, flags, reporter, { codec, text, signal });
        return 0;
      });
      return;
    }
    const reporter = createReporter(flags.json === true);
    await stoppable((signal) => run(source, flags, reporter, { signal }));
  });
}

function whereCaptionsAre(command: Command): void {
  command
    .option(
      '--captions <file>',
      'CSV or JSON lines with the columns file and caption, optional group, category, licence, source; without it: metadata.jsonl, metadata.csv, text files next to the pictures, or their names',
    )
    .option(
      '--columns <map>',
      'where columns have other names, such as caption=description,licence=rights (file, image, caption, group, category, licence, source, score)',
      columns,
    );
}

function whichToSkip(command: Command): void {
  command
    .option('--min-side <pixels>', 'skip pictures with a shorter edge', whole(1))
    .option(
      '--max-aspect <ratio>',
      'skip pictures with an edge that many times as long as the other',
      number({ min: 1 }),
    )
    .option('--min-score <n>', 'skip pictures whose column score is less, or empty', number({}))
    .option('--require-license <list>', 'skip pictures under other licences, or none, such as CC0-1.0,CC-BY-4.0', list);
}

/** Instead of pictures and words. */
function whatToKeep(command: Command): void {
  command
    .option('--codec <folder>', 'keep latents instead of pictures: codec/ of a model, with config.json and its weights')
    .option(
      '--thumbnail <pixels>',
      'edge length of the small pictures that are kept next to latents, a divisor of --size (default: the largest up to 64)',
      whole(1),
    )
    .option(
      '--text <folder>',
      'keep features of captions: text/ of a model, such as CLIP; what has no caption is skipped',
    )
    .option(
      '--labels [file]',
      'number the classes: of a file with a name a line, or without it of the column category (label, class, cls)',
    );
}

/** Prepares, and says what came of it. */
async function run(
  source: string[],
  flags: Flags,
  reporter: Reporter,
  encoders: Pick<PrepareOptions, 'codec' | 'text' | 'signal'>,
): Promise<void> {
  const { out, vocabulary, like, labels, codec: _, text: __, ...rest } = flags;
  const { minSide, maxAspect, minScore, requireLicense: licences, ...others } = rest;
  const { shardSize, s3Endpoint: endpoint, ...given } = others;
  const { prepare } = await import('@paris/trainer/node');
  const classes = typeof labels === 'string' ? await classesIn(labels) : undefined;
  const report = await prepare({
    ...given,
    ...(labels !== undefined && { classes: classes ?? 'categories' }),
    ...(like !== undefined && (await asIn(like, classes))),
    ...encoders,
    source,
    out: nodeStore(out),
    vocabularyLimit: vocabulary,
    shardBytes: shardBytes(shardSize),
    ...(endpoint !== undefined && { s3: { endpoint } }),
    filter: { minSide, maxAspect, minScore, licences },
    onProgress: (done, total) => reporter.work('pictures', done, total),
    onEncoded: (done, total) => reporter.work('encoding', done, total),
  }).finally(() => reporter.close());
  const { manifest, missing, repeated, named, others: otherKinds, unread, archives } = report;
  warnAbout(reporter, 'captions without a picture', missing);
  warnAbout(reporter, 'files with several captions (the first counts)', repeated);
  warnAbout(reporter, 'pictures captioned by their name, since they have no text file', named);
  warnAbout(reporter, 'archives beside pictures are not read (name them, too, to read both)', archives);
  warnAbout(reporter, 'tables that may hold captions are not read (CSV and JSON lines are)', unread);
  const otherFiles = Object.entries(otherKinds).map(([extension, count]) => `${count} ${extension}`);
  if (otherFiles.length > 0) reporter.info(`files that are no pictures: ${otherFiles.join(', ')}`);
  await reportData(reporter, manifest, out);
}

/** A list of classes: a name a line. @throws DataError if the file cannot be read or names none */
async function classesIn(file: string): Promise<LabelSet> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new DataError('prepare', `${file} cannot be read (${cause.code}). Check the path of --labels.`, { cause });
  });
  const names = text.split(/\r?\n/).map((line) => line.trim());
  while (names.at(-1) === '') names.pop();
  if (names.length === 0) throw new DataError('prepare', `${file} names no class. Write one a line.`);
  for (const [line, name] of names.entries()) {
    if (name !== '' && names.indexOf(name) === line) continue;
    const what = name === '' ? 'names no class' : `names ${JSON.stringify(name)} again`;
    throw new DataError('prepare', `line ${line + 1} of ${file} ${what}. Write one class a line, each once.`);
  }
  return { classes: names.length, names };
}

const examples = `
Examples:
  paris prepare ./photos --captions captions.csv --size 32 --out data/
  paris prepare ./new-photos --like data/ --out more-data/
  paris prepare shards/*.tar more.parquet --out data/
  paris prepare https://example.org/birds.parquet --columns caption=description --out data/
  paris prepare s3://bucket/birds --s3-endpoint https://storage.example.org --out data/
  paris prepare ./photos --size 256 --codec model/codec --text model/text --out data/
  paris prepare shards/*.tar --labels classes.txt --out data/`;

function shard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const part = { index: Number(index), count: Number(count) };
  if (part.index >= 1 && part.index <= part.count) return part;
  throw new InvalidArgumentError('Write it as 1/3, the first of three parts.');
}

/**
 * What decides which pictures and words fit those of another data folder.
 * @param list - classes that were asked for
 * @throws DataError if that folder has others
 */
async function asIn(folder: string, list: LabelSet | undefined) {
  const { readManifest } = await import('@paris/trainer');
  const { size, holdout, vocabulary, latents, text, classes } = await readManifest(nodeStore(folder));
  if (list && classes && JSON.stringify(list) !== JSON.stringify(classes)) {
    throw new DataError('prepare', `${folder} has other classes than the list of --labels. Leave the list out.`);
  }
  return {
    size: latents?.pictureSize ?? size,
    ...(latents && { thumbnail: size }),
    ...(classes && { classes }),
    like: { latents, text },
    ...{ holdout: holdout.fraction, seed: holdout.seed, vocabulary },
  };
}

const list = (text: string) => text.split(',').map((part) => part.trim());

/** `caption=description,licence=rights` */
function columns(text: string): Columns {
  const pairs = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  const wrong = pairs.find(
    ([field, name, ...more]) => !pictureFields.includes(field as Field) || !name || more.length > 0,
  );
  if (wrong) throw new InvalidArgumentError(`Write FIELD=COLUMN, with a field of ${pictureFields.join(', ')}.`);
  return Object.fromEntries(pairs) as Columns;
}
