/** What needs a page. */
import { ParisError } from '@paris/tensor';
import type { RgbImage } from '../images/image.js';

/**
 * Draws a picture into a canvas and gives the canvas its size; scale it with CSS (`image-rendering: pixelated`).
 * @throws ParisError if the canvas already has a context of another kind
 */
export function drawImage(canvas: HTMLCanvasElement | OffscreenCanvas, image: RgbImage): void {
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  if (!context) {
    throw new ParisError('drawImage', 'the canvas has a context of another kind already. Pass one without.');
  }
  const pixels = context.createImageData(image.width, image.height);
  for (let i = 0; i < image.width * image.height; i++) {
    pixels.data.set(image.data.subarray(3 * i, 3 * i + 3), 4 * i);
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}
