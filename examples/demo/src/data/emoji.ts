// The demo's pictures: the 64 px emoji of two vendors, out of two npm packages, with a caption, a category and a licence
// for each, and a group that keeps the same emoji on one side of the train/test split.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { captionOf } from './caption.js';
import { mergeGroups } from './groups.js';

/** Where the pictures of one vendor come from and under which terms they may be shown. */
export interface Source {
  readonly vendor: 'google' | 'twitter';
  readonly title: string;
  readonly package: string;
  readonly licence: string;
  readonly attribution: string;
  readonly url: string;
}

/** The two sets under free licences; the packages with Apple's and Facebook's pictures are not used. */
export const sources: readonly Source[] = [
  {
    vendor: 'google',
    title: 'Noto Emoji',
    package: 'emoji-datasource-google',
    licence: 'Apache-2.0',
    attribution:
      'Noto Emoji, copyright Google LLC. Images under the Apache License 2.0, the font under the SIL OFL 1.1.',
    url: 'https://github.com/googlefonts/noto-emoji',
  },
  {
    vendor: 'twitter',
    title: 'Twemoji',
    package: 'emoji-datasource-twitter',
    licence: 'CC-BY-4.0',
    attribution: 'Twemoji, copyright Twitter, Inc. and other contributors. Graphics under CC-BY 4.0.',
    url: 'https://github.com/jdecked/twemoji',
  },
];

export interface EmojiPicture {
  /** Path below the photos folder: `google/1f600.png`. */
  readonly file: string;
  /** The PNG inside the npm package. */
  readonly path: string;
  readonly caption: string;
  /** Base codepoints, without skin tone and variation selector; pictures of one group are never split. */
  readonly group: string;
  readonly category: string;
  readonly licence: string;
  readonly source: string;
}

const entrySchema = z.object({
  name: z.string(),
  unified: z.string(),
  image: z.string(),
  category: z.string(),
  has_img_google: z.boolean(),
  has_img_twitter: z.boolean(),
});
const emojiSchema = z.array(
  entrySchema.extend({
    skin_variations: z.record(z.string(), entrySchema.omit({ name: true, category: true })).optional(),
  }),
);
type EmojiEntry = z.infer<typeof emojiSchema>[number];

/**
 * Lists every picture of both vendors, in a fixed order.
 * @param limit - keep about this many groups, spread evenly over the list; all of them by default
 */
export async function listEmoji(limit = Number.POSITIVE_INFINITY): Promise<EmojiPicture[]> {
  const pictures = (await Promise.all(sources.map(picturesOf))).flat();
  const names = [...new Set(pictures.map((picture) => picture.group))];
  const kept = new Set(
    names.filter((_, i) => Math.floor((i * limit) / names.length) !== Math.floor(((i - 1) * limit) / names.length)),
  );
  const chosen = limit >= names.length ? pictures : pictures.filter((picture) => kept.has(picture.group));
  const merged = mergeGroups(chosen, await Promise.all(chosen.map(digestOf)));
  return chosen.map((picture, i) => ({ ...picture, group: merged[i]! }));
}

async function picturesOf(source: Source): Promise<EmojiPicture[]> {
  const root = dirname(createRequire(import.meta.url).resolve(`${source.package}/package.json`));
  const version = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const entries = emojiSchema.parse(JSON.parse(await readFile(join(root, 'emoji.json'), 'utf8')));
  return entries.flatMap((entry) =>
    variationsOf(entry)
      // Without an own picture the package falls back to another vendor's, which has other terms.
      .filter((variation) => variation[`has_img_${source.vendor}`])
      .map((variation) => ({
        file: `${source.vendor}/${variation.image}`,
        path: join(root, 'img', source.vendor, '64', variation.image),
        caption: captionOf(entry.name, variation.tone),
        group: baseCodepoints(entry.unified),
        category: entry.category,
        licence: source.licence,
        source: `${source.title} (${source.package}@${version.version})`,
      })),
  );
}

function variationsOf(entry: EmojiEntry) {
  const variations = Object.entries(entry.skin_variations ?? {}).map(([tone, variation]) => ({ ...variation, tone }));
  return [{ ...entry, tone: '' }, ...variations];
}

/** `1F468-1F3FB-200D-2695-FE0F` → `1f468-200d-2695`: no skin tone (U+1F3FB to 1F3FF), no variation selector (U+FE0F). */
export function baseCodepoints(unified: string): string {
  const kept = unified
    .toLowerCase()
    .split('-')
    .filter((point) => !/^(1f3f[b-f]|fe0f)$/.test(point));
  return kept.length > 0 ? kept.join('-') : unified.toLowerCase();
}

async function digestOf(picture: EmojiPicture): Promise<string> {
  return createHash('sha256')
    .update(await readFile(picture.path))
    .digest('base64');
}
