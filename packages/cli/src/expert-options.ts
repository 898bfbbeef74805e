// What the options of `paris train expert` mean that take several of them: weights to start from, and sample pictures.
import { basename, dirname } from 'node:path';
import { facebookLayout, parisLayout, pixartLayout } from '@paris/dit';
import { nodeStore } from '@paris/files/node';
import type { KeyMap } from '@paris/model';
import { type Device, ValueError } from '@paris/tensor';
import { type InitialWeights, loadCodec, loadTextEncoder, type SampleOptions } from '@paris/trainer';
import { partAt } from './modules.js';

/** Whose names a file of weights may have. */
export const layouts: Readonly<Record<'paris' | 'facebook' | 'pixart', KeyMap>> = {
  paris: parisLayout,
  facebook: facebookLayout,
  pixart: pixartLayout,
};

/** @throws ValueError for groups without a file */
export function initialOf({
  init,
  initLayout,
  remake,
}: {
  init?: string;
  initLayout: keyof typeof layouts;
  remake?: string;
}): InitialWeights | undefined {
  if (init === undefined) {
    if (remake === undefined) return undefined;
    throw new ValueError(
      'train',
      '--remake says what of a checkpoint is initialised again. Give the checkpoint, too: --init FILE.',
    );
  }
  const groups = remake === 'none' ? [] : remake?.split(',').map((name) => name.trim());
  const file = { store: nodeStore(dirname(init)), path: basename(init) };
  return { ...file, layout: layouts[initLayout], ...(groups && { remake: groups }) };
}

/** @throws ValueError for prompts of samples that are not asked for; what loading the parts throws */
export async function samplesOf(
  device: Device,
  {
    sampleEvery,
    samplePrompt,
    codec,
    text,
  }: { sampleEvery?: number; samplePrompt?: string[] | undefined; codec?: string; text?: string },
): Promise<SampleOptions | undefined> {
  if (sampleEvery !== undefined) {
    return {
      every: sampleEvery,
      prompts: samplePrompt,
      codec: codec === undefined ? undefined : await loadCodec(device, partAt(codec)),
      text: text === undefined ? undefined : await loadTextEncoder(device, partAt(text)),
    };
  }
  if (samplePrompt === undefined) return undefined;
  throw new ValueError(
    'train',
    '--sample-prompt says what samples show. Say how often they are drawn: --sample-every N.',
  );
}
