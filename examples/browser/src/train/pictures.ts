// Forty-eight pictures to learn from: discs, rings and squares in four colours, each a little different.
import type { RgbImage } from '@paris/sampler';

export const SIZE = 16;

const COLOURS = { red: '#d62839', blue: '#2474c6', green: '#2a9d5c', yellow: '#f2b01e' };
const SHAPES = ['disc', 'ring', 'square'] as const;

export interface Drawn {
  images: RgbImage[];
  /** `red disc`, one for each picture. */
  captions: string[];
}

export function drawPictures(): Drawn {
  const canvas = new OffscreenCanvas(SIZE, SIZE);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const drawn: Drawn = { images: [], captions: [] };
  for (let i = 0; i < 4; i++) {
    for (const shape of SHAPES) {
      for (const [name, colour] of Object.entries(COLOURS)) {
        draw(context, shape, colour, 4.5 + 0.5 * i, 8 + (i % 2) - 0.5);
        const { data } = context.getImageData(0, 0, SIZE, SIZE);
        drawn.images.push({ width: SIZE, height: SIZE, data: new Uint8Array(data.filter((_, k) => k % 4 !== 3)) });
        drawn.captions.push(`${name} ${shape}`);
      }
    }
  }
  return drawn;
}

function draw(
  context: OffscreenCanvasRenderingContext2D,
  shape: (typeof SHAPES)[number],
  colour: string,
  radius: number,
  centre: number,
): void {
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, SIZE, SIZE);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 3;
  context.beginPath();
  if (shape === 'square') context.rect(centre - radius, centre - radius, 2 * radius, 2 * radius);
  else context.arc(centre, centre, shape === 'ring' ? radius - 1 : radius, 0, 2 * Math.PI);
  if (shape === 'ring') context.stroke();
  else context.fill();
}
