// A picture that says how it was made, as settings of the form.
import type { Settings } from './settings.js';

/** What a PNG file of this library says; undefined if it says nothing, or is another kind of file. */
export async function settingsIn(file: Blob): Promise<Settings | undefined> {
  const { readPictureMetadata } = await import('@paris/sampler/metadata'); // few pictures are dropped
  const made = await file
    .arrayBuffer()
    .then((bytes) => readPictureMetadata(new Uint8Array(bytes)).made)
    .catch(() => undefined); // a damaged record is none
  if (!made) return undefined;
  const { prompt, negativePrompt, seed, picture, moves, steps, guidance, autoguidance, variation } = made;
  const named = (name: string, usual: string) => (name === 'custom' ? usual : name);
  return {
    request: {
      ...{ prompt, negativePrompt, seed, picture, steps },
      // The page has one scale for all steps.
      guidance: { ...guidance, scale: typeof guidance.scale === 'number' ? guidance.scale : (guidance.scale[0] ?? 1) },
      // Of several variations the page draws those before it as well.
      count: variation ? variation.picture + 1 : 1,
      sampler: named(made.sampler, 'euler'),
      schedule: named(made.schedule, 'uniform'),
      routing: named(made.routing, ''),
      ...(autoguidance && { autoguidance: autoguidance.scale }),
      ...(moves && { moves }),
      ...(variation && { variation: { seed: variation.seed, strength: variation.strength } }),
    },
    compared: [],
  };
}
