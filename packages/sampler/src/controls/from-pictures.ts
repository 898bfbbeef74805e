// Image to image and inpainting.
import type { Device, Tensor } from '@paris/tensor';
import { encodePictures, pictureSize, type Size } from '../images/encode.js';
import type { RgbImage } from '../images/image.js';
import type { GenerateOptions, MaskImage } from '../pipeline/options.js';
import type { BatchAround, Parts, Settings } from '../pipeline/pipeline.js';
import type { Denoised, Denoiser } from '../samplers/sampler.js';
import type { Tools } from './controls.js';

/**
 * Sampling that starts from pictures: from α·x₀ + σ·ε at a time in the middle (SDEdit, arXiv 2108.01073). With a mask, the model's
 * answer is replaced, where the picture is kept, by what it would be for that picture; so every sampler stays on its path.
 */
export async function fromPictures(
  parts: Parts,
  settings: Settings,
  options: GenerateOptions,
  count: number,
  tools: Tools,
): Promise<Settings> {
  const { refuse, sha256 } = tools;
  const { device, index, path, codec, encode } = parts;
  const { mask } = options;
  const images = [options.image!].flat() as readonly RgbImage[];
  const size = pictureSize(codec, index.latent, refuse);
  if (images.length !== 1 && images.length !== count)
    refuse(`image has ${images.length} pictures for ${count}. Give one, or one for each`);
  for (const each of images) checkSize('image', each, size, [3], tools);
  if (mask) checkMask(mask, size, tools);
  const strength = strengthOf(options, tools);
  const steps = settings.times.length - 1;
  const times = settings.times.slice(steps - Math.max(1, Math.floor(steps * strength + 1e-9)));
  // What begins at t = 1 is noise alone, whatever the image.
  if (times.length > steps && times[0] === 1 && !mask)
    refuse(`strength ${strength} of ${steps} step looks at nothing of the image. Take more steps`);
  const latents = await encodePictures(device, encode, images);
  const of = <T>(each: readonly T[], i: number) => each[each.length === 1 ? 0 : i]!;
  const [alpha, sigma] = [path.alpha(times[0]!), path.sigma(times[0]!)];
  const hashes = await Promise.all(images.map(({ data }) => sha256(data)));
  const maskHash = mask && (await sha256(mask.data));
  const inpaint = mask && inpainting(parts, mask, size, tools);
  const { around, guidance } = settings;
  const { scale } = guidance;
  return {
    ...settings,
    times,
    guidance: typeof scale === 'number' ? guidance : { ...guidance, scale: scale.slice(1 - times.length) },
    initial: (i) => settings.initial(i).map((noise, at) => alpha * of(latents, i)[at]! + sigma * noise),
    finish: (image, i) => (mask ? kept(of(images, i), image, mask) : image),
    made: (i) => ({ ...settings.made(i), strength, image: of(hashes, i), ...(maskHash && { mask: maskHash }) }),
    around: async (run, batch) => {
      const inner = (await around?.(run, batch)) ?? run;
      if (!inpaint) return inner;
      const rows = batch.prompts.map((_, i) => batch.firstImage + i);
      const values = { images: rows.map((i) => of(latents, i)), noise: rows.map(settings.initial) };
      return { ...inner, denoiser: inpaint(inner.denoiser, values, batch) };
    },
  };
}

function strengthOf({ strength, mask }: GenerateOptions, { refuse }: Tools): number {
  const given = strength ?? (mask ? 1 : 0.8);
  if (!(given > 0 && given <= 1))
    refuse(`strength is ${given}. Give more than 0, which keeps the image as it is, and at most 1`);
  if (given === 1 && !mask) refuse('strength 1 looks at nothing of the image. Give less, or leave image out');
  return given;
}

/** The mixture's answer where the mask is, and the picture's own path elsewhere. */
function inpainting({ device, index, path }: Parts, mask: MaskImage, size: Size, { scalar }: Tools) {
  const { channels, height, width } = index.latent;
  const drawn = latentMask(mask, width, height, size.width / width);
  const place = device.compile((latents: Tensor, known: Known, at: Coefficients) =>
    mixed(known.mask, latents, onPath(known, at.alpha, at.sigma)),
  );
  const answer = device.compile(
    (found: Denoised, known: Known, at: Coefficients): Denoised => ({
      sample: mixed(known.mask, found.sample, known.image),
      velocity: mixed(known.mask, found.velocity, onPath(known, at.alpha, at.sigma)),
    }),
  );
  return (
    inner: Denoiser,
    values: { images: Float32Array[]; noise: Float32Array[] },
    { owned }: BatchAround,
  ): Denoiser => {
    const shape = [values.images.length, channels, height, width];
    const known: Known = {
      image: stacked(device, values.images, shape),
      noise: stacked(device, values.noise, shape),
      mask: device.tensor(drawn, { shape: [1, 1, height, width] }),
    };
    owned.push(known.image, known.noise, known.mask);
    return async (latents, time) => {
      const at = { alpha: scalar(path.alpha(time)), sigma: scalar(path.sigma(time)) };
      const slope = { alpha: scalar(path.alphaPrime(time)), sigma: scalar(path.sigmaPrime(time)) };
      const placed = await place(latents, known, at);
      let found: Denoised | undefined;
      try {
        found = await inner(placed, time);
        return await answer(found, known, slope);
      } finally {
        placed.dispose();
        found?.sample.dispose();
        found?.velocity.dispose();
      }
    };
  };
}

interface Coefficients {
  readonly alpha: Tensor;
  readonly sigma: Tensor;
}

/** The picture, its noise, [B, C, H, W], and where it is drawn again: 1 there, [1, 1, H, W]. */
interface Known {
  readonly image: Tensor;
  readonly noise: Tensor;
  readonly mask: Tensor;
}

function onPath({ image, noise }: Known, alpha: Tensor, sigma: Tensor): Tensor {
  return image.mul(alpha).add(noise.mul(sigma));
}

function mixed(mask: Tensor, there: Tensor, elsewhere: Tensor): Tensor {
  return there.mul(mask).add(elsewhere.mul(mask.rsub(1)));
}

function stacked(device: Device, rows: readonly Float32Array[], shape: readonly number[]): Tensor {
  const size = rows[0]!.length;
  const values = new Float32Array(rows.length * size);
  for (const [i, row] of rows.entries()) values.set(row, i * size);
  return device.tensor(values, { shape });
}

/** A latent is drawn again where any pixel of it is. */
function latentMask(mask: MaskImage, width: number, height: number, factor: number): Float32Array {
  const cells = new Float32Array(width * height);
  for (let at = 0; at < mask.width * mask.height; at++) {
    const [x, y] = [Math.floor((at % mask.width) / factor), Math.floor(Math.floor(at / mask.width) / factor)];
    if (isDrawn(mask, at)) cells[y * width + x] = 1;
  }
  return cells;
}

/** The input's pixels where the mask keeps them. */
function kept(input: RgbImage, drawn: RgbImage, mask: MaskImage): RgbImage {
  const data = drawn.data.slice();
  for (let at = 0; at < mask.width * mask.height; at++) {
    if (!isDrawn(mask, at)) data.set(input.data.subarray(3 * at, 3 * at + 3), 3 * at);
  }
  return { ...drawn, data };
}

function isDrawn({ data, width, height }: MaskImage, at: number): boolean {
  if (data.length === width * height) return data[at]! >= 128;
  return Math.max(data[3 * at]!, data[3 * at + 1]!, data[3 * at + 2]!) >= 128;
}

function checkMask(mask: MaskImage, size: Size, tools: Tools): void {
  checkSize('mask', mask, size, [1, 3], tools);
  const pixels = size.width * size.height;
  for (let at = 0; at < pixels; at++) if (isDrawn(mask, at)) return;
  tools.refuse('mask draws nothing again: no pixel of it is 128 or more. Paint what is to change white');
}

function checkSize(
  name: string,
  image: MaskImage,
  { width, height }: Size,
  channels: readonly number[],
  { refuse }: Tools,
): void {
  if (image.width !== width || image.height !== height) {
    refuse(`${name} is ${image.width}×${image.height}, and the model draws ${width}×${height}. Resize it`);
  }
  if (channels.some((each) => image.data.length === each * width * height)) return;
  const wanted = channels.map((each) => each * width * height).join(' or ');
  refuse(`${name} has ${image.data.length} bytes of data, not ${wanted}. Give ${channels.join(' or ')} for each pixel`);
}
