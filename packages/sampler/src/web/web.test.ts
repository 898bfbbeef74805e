import { expect, it } from 'vitest';
import { drawImage } from './index.js';

/** What a canvas does here: it makes pixel buffers and takes them. */
function fakeCanvas(kind: '2d' | 'webgpu') {
  const put: { data: Uint8ClampedArray; width: number }[] = [];
  const context = {
    createImageData: (width: number, height: number) => ({ width, data: new Uint8ClampedArray(4 * width * height) }),
    putImageData: (pixels: { data: Uint8ClampedArray; width: number }) => put.push(pixels),
  };
  const canvas = { width: 300, height: 150, getContext: (asked: string) => (asked === kind ? context : null) };
  return { canvas: canvas as unknown as HTMLCanvasElement, put };
}

const image = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };

it('draws opaque pixels into a canvas of the picture’s size', () => {
  const { canvas, put } = fakeCanvas('2d');
  drawImage(canvas, image);
  expect([canvas.width, canvas.height]).toEqual([2, 1]);
  expect([...put[0]!.data]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
});

it('says why a canvas cannot be drawn to', () => {
  expect(() => drawImage(fakeCanvas('webgpu').canvas, image)).toThrow(
    '[drawImage] the canvas has a context of another kind already. Pass one without.',
  );
});
