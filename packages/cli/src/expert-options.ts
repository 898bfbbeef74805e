// What the options of `paris train expert` mean that take several of them: weights to start from, and sample pictures.
import { ValueError } from '@paris/files';
import type { KeyMap } from '@paris/model';
import type { Device } from '@paris/tensor';
import type { InitialWeights, SampleOptions } from '@paris/trainer';
import { fileAt, partAt } from './modules.js';

/** Whose names a file of weights may have. */
export type LayoutName = 'paris' | 'facebook' | 'pixart';

/** The names of {@link LayoutName}. */
export const layoutNames: readonly LayoutName[] = ['paris', 'facebook', 'pixart'];

/** @throws ValueError for groups, or names, without a file */
export async function initialOf({
  init,
  initLayout,
  remake,
}: {
  init?: string;
  initLayout: LayoutName;
  remake?: string;
}): Promise<InitialWeights | undefined> {
  if (init === undefined) {
    if (initLayout !== 'paris') {
      const what = '--init-layout says whose names a checkpoint has';
      throw new ValueError('train', `${what}. Give the checkpoint, too: --init FILE.`);
    }
    if (remake === undefined) return undefined;
    throw new ValueError(
      'train',
      '--remake says what of a checkpoint is initialised again. Give the checkpoint, too: --init FILE.',
    );
  }
  const groups = remake === 'none' ? [] : remake?.split(',').map((name) => name.trim());
  return { ...fileAt(init), layout: await layoutOf(initLayout), ...(groups && { remake: groups }) };
}

async function layoutOf(name: LayoutName): Promise<KeyMap> {
  const { facebookLayout, parisLayout, pixartLayout } = await import('@paris/dit');
  return { paris: parisLayout, facebook: facebookLayout, pixart: pixartLayout }[name];
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
    const { loadCodec, loadTextEncoder } = await import('@paris/trainer');
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
