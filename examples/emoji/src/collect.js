// The pictures of the emoji model: emoji of seven sets under free licences, as SVG files with captions, for `paris prepare`.
//
//   node src/collect.js PACKAGES OUT     PACKAGES: a folder in which the packages of README.md are installed

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { concepts, heldOut, tones } from './concepts.js';

/** Sets whose pictures may be changed and passed on under other terms; those under share-alike licences are left out. */
export const sets = ['noto', 'noto-v1', 'twemoji', 'fluent-emoji', 'fluent-emoji-flat', 'emojione', 'fxemoji'];

const free = ['Apache-2.0', 'CC-BY-4.0', 'MIT'];

/** Where the package names the licence of the code, and the set's own LICENSE.md another for the pictures. */
const artwork = /** @type {Record<string, string>} */ ({ fxemoji: 'CC-BY-4.0' });

/** @typedef {{ body: string, left?: number, top?: number, width?: number, height?: number }} Icon */
/** @typedef {Icon & { icons: Record<string, Icon>, aliases?: Record<string, { parent: string }> }} IconSet */

/**
 * One picture for each concept and set that has it.
 * @param {string} packages - folder in which the packages are installed
 * @throws Error if a set is not under one of the free licences any more
 */
export function collect(packages) {
  const require = createRequire(pathToFileURL(join(resolve(packages), 'package.json')));
  const codepoints = new Map(
    Object.entries(namesOf(require, 'twemoji')).map(([points, name]) => /** @type {const} */ ([name, points])),
  );
  const icons = Object.entries(concepts).flatMap(([category, names]) =>
    names.flatMap((name) => variants(name, category)),
  );
  return sets.flatMap((set) => {
    const { name, license } = require(`@iconify-json/${set}/info.json`);
    const licence = artwork[set] ?? license.spdx;
    if (!free.includes(license.spdx)) throw new Error(`${set} is under ${license.spdx}, not under ${free.join(', ')}.`);
    const source = `${name} (@iconify-json/${set}@${require(`@iconify-json/${set}/package.json`).version})`;
    /** @type {IconSet} */
    const drawn = require(`@iconify-json/${set}/icons.json`);
    const names = namesOf(require, set);
    return icons.flatMap(({ icon, category }) => {
      const here = names[codepoints.get(icon) ?? ''] ?? icon; // some sets name emoji as older releases of Unicode did
      const found = drawn.icons[here] ?? drawn.icons[drawn.aliases?.[here]?.parent ?? ''];
      if (!found) return [];
      const caption = icon.replaceAll('-', ' ');
      const file = `${set}/${icon}.svg`;
      return [{ file, svg: svgOf(found, drawn), caption, group: icon, category, licence, source }];
    });
  });
}

/** A hand, and the same in each tone of skin. */
function variants(/** @type {string} */ name, /** @type {string} */ category) {
  const toned = category === 'hand' ? tones.map((tone) => `${name}-${tone}-skin-tone`) : [];
  return [name, ...toned].map((icon) => ({ icon, category }));
}

/**
 * From codepoints to a set's names, if the set says; most have Unicode's names anyway.
 * @returns {Record<string, string>}
 */
function namesOf(/** @type {NodeJS.Require} */ require, /** @type {string} */ set) {
  try {
    return require(`@iconify-json/${set}/chars.json`);
  } catch {
    return {};
  }
}

function svgOf(/** @type {Icon} */ icon, /** @type {IconSet} */ { width = 16, height = 16, left = 0, top = 0 }) {
  const box = [icon.left ?? left, icon.top ?? top, icon.width ?? width, icon.height ?? height].join(' ');
  const names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"';
  return `<svg ${names} width="96" height="96" viewBox="${box}">${icon.body}</svg>\n`;
}

/** Writes the pictures and `captions.tsv`. */
function write(/** @type {ReturnType<typeof collect>} */ pictures, /** @type {string} */ out) {
  for (const set of sets) mkdirSync(join(out, set), { recursive: true });
  const columns = /** @type {const} */ (['file', 'caption', 'group', 'category', 'licence', 'source']);
  const rows = pictures.map((picture) => columns.map((column) => picture[column]).join('\t'));
  for (const { file, svg } of pictures) writeFileSync(join(out, file), svg);
  writeFileSync(join(out, 'captions.tsv'), `${[columns.join('\t'), ...rows].join('\n')}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [packages, out] = process.argv.slice(2);
  if (!packages || !out) throw new Error('Usage: node src/collect.js PACKAGES OUT');
  const pictures = collect(packages);
  const kept = pictures.filter(({ caption }) => !heldOut.includes(caption));
  write(kept, out);
  const captions = new Set(kept.map(({ caption }) => caption)).size;
  const left = pictures.length - kept.length;
  console.log(`${kept.length} pictures with ${captions} captions; ${left} with ${heldOut.length} captions left out.`);
}
