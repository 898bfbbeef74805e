// What a command says of a data folder that it wrote.
import { nodeStore } from '@paris/files/node';
import type { Manifest } from '@paris/trainer';
import { defaultSize } from '@paris/trainer/options';
import type { Reporter } from './reporter.js';

/** What was left out or may surprise, and how many pictures there are. */
export async function reportData(reporter: Reporter, manifest: Manifest, out: string): Promise<void> {
  const { cutCaptions, heldOutCount, manifestItems } = await import('@paris/trainer');
  const { count, skipped, nearCopies = [], vocabulary, maxTokens, holdout, latents, text, classes } = manifest;
  const data = nodeStore(out);
  warnAboutSkipped(reporter, skipped);
  const cut = text ? [] : await cutCaptions(manifestItems(data, manifest), maxTokens); // a text encoder has a length of its own
  warnAbout(reporter, `captions of more than ${maxTokens} words (the rest is not learned)`, cut);
  warnAboutSize(reporter, latents ? latents.height : manifest.size, latents ? 'latents' : 'pictures');
  warnAbout(
    reporter,
    'near-copies, in one group each',
    nearCopies.map((ids) => ids.join(' = ')),
  );
  const test = await heldOutCount(data, manifest);
  if (test < 2 && holdout.fraction > 0) {
    reporter.warn(`${test} pictures are held out, and paris evaluate needs 2: give a larger --holdout`);
  }
  const encoded = [
    ...(latents ? [`latents of ${latents.channels} × ${latents.height} × ${latents.width}`] : []),
    ...(text ? [`features of ${text.length} × ${text.width}`] : []),
    ...(classes ? [`${classes.classes} classes`] : []),
  ];
  const parts = [
    `${count - test} pictures for training`,
    `${test} held out`,
    `${vocabulary.length - 2} words`,
    ...encoded,
  ];
  reporter.info(`${parts.join(', ')} → ${out}`);
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
function warnAboutSize(reporter: Reporter, size: number, what: 'latents' | 'pictures'): void {
  if (size % defaultSize.patch === 0) return;
  const patches = Array.from({ length: size }, (_, i) => i + 1).filter((patch) => size % patch === 0);
  const shown = patches.slice(0, 8).join(', ');
  reporter.warn(
    `${what} of ${size}${what === 'pictures' ? ' pixels' : ''} have no whole number of patches of ${defaultSize.patch}, as training takes them: ` +
      `prepare with another --size, or train with a --patch of ${shown}`,
  );
}

export function warnAbout(reporter: Reporter, what: string, names: readonly string[]): void {
  if (names.length === 0) return;
  const shown = names.slice(0, 5).join(', ');
  reporter.warn(`${what}, ${names.length}: ${shown}${names.length > 5 ? ', …' : ''}`);
}
