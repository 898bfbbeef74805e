// Pictures → a data folder: captioned, split into what is learned from and what is held out, written.
import type { FileStore } from '@paris/files';
import { buildVocabulary, encodeCaptions, MAX_TOKENS } from '@paris/model';
import { assertUnpartitioned, readManifest, writeManifestFolder } from '../data/files.js';
import type { DataItem, Manifest } from '../data/formats.js';
import { DataError } from '../errors.js';
import type { PictureSource, SkippedPicture } from './source.js';
import { heldOutGroups } from './split.js';

/** Where pictures go, and what of them is held out. */
export interface PreparePicturesOptions {
  pictures: PictureSource;
  out: FileStore;
  /** Edge length of the pictures in pixels. */
  size: number;
  /** Share of the groups that no training sees. Default 0.1. */
  holdout?: number;
  seed?: number;
  /** Most words in the vocabulary. Default 1000. */
  vocabularyLimit?: number;
  /** Whether what was partitioned in `out` may go, where the pictures are others now. Default false. */
  fresh?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Writes `manifest.json` and `images.safetensors` (`images` u8 [N, 3, size, size], `tokens` u32 [N, 8]) to `out`, once all
 * pictures are there. The same pictures again change nothing; others are refused where `out` is partitioned, unless `fresh`.
 * @throws OutputError if the output holds something else than a data folder of ours, or clusters that would go; DataError if there is no usable
 *   picture, or none for training, or one of another size; the signal's reason when it is aborted
 */
export async function preparePictures(options: PreparePicturesOptions): Promise<Manifest> {
  const { size, holdout = 0.1, seed = 0, vocabularyLimit = 1000 } = options;
  if (!options.fresh) await assertSame(options.out, { size, holdout, seed });
  const { items, pixels, skipped } = await collect(options);
  const held = await heldOutGroups(
    items.map((item) => item.group),
    holdout,
    seed,
  );
  const split = items.map((item) => ({
    ...item,
    split: held.has(item.group) ? ('test' as const) : ('train' as const),
  }));
  const train = split.filter((item) => item.split === 'train');
  if (train.length === 0) throw new DataError('prepare', noTraining(items.length, skipped, holdout));

  const vocabulary = buildVocabulary(
    train.map((item) => item.caption),
    vocabularyLimit,
  );
  const manifest: Manifest = {
    version: 1,
    size,
    channels: 3,
    maxTokens: MAX_TOKENS,
    normalization: { scale: 127.5, offset: -1 },
    count: split.length,
    holdout: { fraction: holdout, seed, by: 'group' },
    vocabulary,
    items: split,
    skipped,
  };
  const tokens = encodeCaptions(
    items.map((item) => item.caption),
    vocabulary,
    MAX_TOKENS,
  );
  await writeManifestFolder(options.out, manifest, { pixels, tokens }, options);
  return manifest;
}

/** Before pictures are decoded: what can be known by now. @throws OutputError if clusters would go */
async function assertSame(out: FileStore, wanted: { size: number; holdout: number; seed: number }): Promise<void> {
  const before = await readManifest(out).catch(() => undefined);
  if (!before) return;
  const { size, holdout } = before;
  if (size === wanted.size && holdout.fraction === wanted.holdout && holdout.seed === wanted.seed) return;
  await assertUnpartitioned(out);
}

async function collect({ pictures, size, signal }: PreparePicturesOptions) {
  const items: DataItem[] = [];
  const all: Uint8Array[] = [];
  const skipped: SkippedPicture[] = [];
  const area = 3 * size * size;
  for await (const picture of pictures) {
    signal?.throwIfAborted();
    if ('reason' in picture) {
      skipped.push(picture);
      continue;
    }
    const { item, pixels } = picture;
    if (pixels.length !== area) {
      const got = `${pixels.length} bytes, not ${area} (3 × ${size} × ${size})`;
      throw new DataError('prepare', `${JSON.stringify(item.id)} has ${got}. Resize pictures before.`);
    }
    items.push(item);
    all.push(pixels);
  }
  const pixels = new Uint8Array(all.length * area);
  for (const [row, own] of all.entries()) pixels.set(own, row * area);
  return { items, pixels, skipped };
}

function noTraining(usable: number, skipped: readonly SkippedPicture[], holdout: number): string {
  if (usable > 0) {
    return `no picture is left for training: all groups fell to the held-out share of ${holdout}. Lower --holdout.`;
  }
  const [first] = skipped;
  if (!first) return 'there is no picture.';
  return `none of ${skipped.length} pictures could be used; the first: ${first.file}: ${first.reason}.`;
}
