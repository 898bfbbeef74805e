import { ShapeError, type Tensor } from '@paris/tensor';

/**
 * Checks the input of a network over patches: latents [B, C, S, S] and a time for each picture.
 * @throws ShapeError if they do not fit the config
 */
export function checkInput(
  tag: string,
  { inputSize: s, channels }: { readonly inputSize: number; readonly channels: number },
  { latents, time }: { readonly latents: Tensor; readonly time: Tensor },
): void {
  const [batch] = latents.shape;
  if (latents.shape.join() !== [batch, channels, s, s].join()) {
    const got = `[${latents.shape.join(', ')}]`;
    throw new ShapeError(tag, `latents must be [B, ${channels}, ${s}, ${s}], got ${got}. Resize, or fix the config.`);
  }
  if (time.shape.join() === String(batch)) return;
  const got = `[${time.shape.join(', ')}]`;
  throw new ShapeError(tag, `time must be [B], here [${batch}], got ${got}. Give each picture its own.`);
}
