// A mask that is painted over a picture, pixel by pixel of the model.

/** Which pixels are drawn again. */
export class Mask {
  readonly #canvas: HTMLCanvasElement;
  readonly #brush: HTMLInputElement;
  #data = new Uint8Array();
  #width = 0;
  #height = 0;

  constructor(canvas: HTMLCanvasElement, brush: HTMLInputElement) {
    this.#canvas = canvas;
    this.#brush = brush;
    const paint = (event: PointerEvent) => {
      if (event.buttons === 0) return;
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const [x, y] = [(event.clientX - left) / width, (event.clientY - top) / height];
      this.#disc(x * this.#width, y * this.#height, event.shiftKey ? 0 : 255);
    };
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId); // a stroke that leaves the picture ends with the button
      paint(event);
    };
    canvas.onpointermove = paint;
  }

  /** An empty mask of this size. */
  reset(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
    this.set(new Uint8Array(width * height));
  }

  /** A byte for each pixel, 255 where the picture is drawn again; undefined if nothing is painted. */
  get value(): Uint8Array<ArrayBuffer> | undefined {
    return this.#data.includes(255) ? this.#data.slice() : undefined;
  }

  set(data: Uint8Array<ArrayBuffer>): void {
    this.#data = data;
    this.#show();
  }

  invert(): void {
    this.set(this.#data.map((value) => 255 - value));
  }

  #disc(x: number, y: number, value: number): void {
    const radius = Math.max(0.5, (Number(this.#brush.value) / 2) * this.#width);
    for (let row = 0; row < this.#height; row++) {
      for (let column = 0; column < this.#width; column++) {
        const isInside = Math.hypot(column + 0.5 - x, row + 0.5 - y) <= radius;
        if (isInside) this.#data[row * this.#width + column] = value;
      }
    }
    // A brush smaller than a pixel paints the pixel that it is on.
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const isOn = column >= 0 && row >= 0 && column < this.#width && row < this.#height;
    if (isOn) this.#data[row * this.#width + column] = value;
    this.#show();
  }

  #show(): void {
    this.#canvas.width = this.#width;
    this.#canvas.height = this.#height;
    if (this.#data.length > 0) {
      const shade = new ImageData(this.#width, this.#height);
      for (const [i, value] of this.#data.entries()) if (value > 0) shade.data.set([230, 0, 110, 150], 4 * i);
      this.#canvas.getContext('2d')!.putImageData(shade, 0, 0);
    }
    const share = this.#data.filter((value) => value > 0).length / Math.max(this.#data.length, 1);
    this.#canvas.ariaLabel =
      share === 0
        ? 'Mask: nothing is painted, so all of the picture is drawn again'
        : `Mask: ${Math.round(100 * share)} % of the picture is drawn again, the rest is kept`;
  }
}

/** The mask in a picture: white is drawn again. */
export function maskOf({ data }: ImageData): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: data.length / 4 }, (_, i) =>
    data[4 * i]! >= 128 && data[4 * i + 3]! >= 128 ? 255 : 0,
  );
}

/** A picture cut and scaled to a size, its middle kept. */
export function fitted(picture: ImageBitmap, width: number, height: number): ImageData {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = '#fff'; // what is transparent
  context.fillRect(0, 0, width, height);
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
  return context.getImageData(0, 0, width, height);
}
