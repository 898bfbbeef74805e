// The picture to start from, and the mask on it.
import type { Start } from '../engine/engine.js';
import { find, sentenceOf } from './dom.js';
import { settingsIn } from './made.js';
import { fitted, Mask, maskOf } from './mask.js';
import type { Settings } from './settings.js';

const paper = find<HTMLCanvasElement>('#start-picture');
const strength = find<HTMLInputElement>('[name=strength]');
const maskFile = find<HTMLInputElement>('#mask-file');

/** What is dropped, chosen and painted. */
export class StartPicture {
  readonly #say: (text: string) => void;
  #made: Settings | undefined;
  readonly #mask: Mask;
  #picture: ImageBitmap | undefined;
  #image: ImageData | undefined;
  #size = { width: 1, height: 1 };

  /** @param useSettings called with how the picture was made, if it says so and the visitor wants it */
  constructor(say: (text: string) => void, useSettings: (settings: Settings) => void) {
    this.#say = say;
    this.#mask = new Mask(find('#mask'), find('#brush'));
    strength.oninput = () => {
      find('#strength-shown').textContent = strength.value;
    };
    const file = find<HTMLInputElement>('#start-file');
    file.onchange = () => {
      if (file.files?.[0]) void this.take(file.files[0]);
      file.value = ''; // so that the same file can be chosen again
    };
    find('#mask-invert').onclick = () => this.#mask.invert();
    find('#mask-clear').onclick = () => this.#mask.reset(this.#size.width, this.#size.height);
    find('#mask-load').onclick = () => maskFile.click();
    maskFile.onchange = () => {
      if (maskFile.files?.[0]) void this.#loadMask(maskFile.files[0]);
      maskFile.value = '';
    };
    find('#start-remove').onclick = () => this.remove();
    find('#start-settings').onclick = () => {
      if (this.#made) useSettings(this.#made);
    };
  }

  /** As the form's request has it. */
  get value(): Omit<Start, 'strength'> | undefined {
    const mask = this.#mask.value;
    return this.#image && { image: this.#image, ...(mask && { mask }) };
  }

  /** The size that the model draws. The picture is fitted to it, and the mask is empty again. */
  resize(width: number, height: number): void {
    if (this.#size.width === width && this.#size.height === height) return;
    this.#size = { width, height };
    this.#show();
  }

  /** A picture from a file. */
  async take(file: Blob): Promise<void> {
    const picture = await this.#decoded(file, 'a picture to start from');
    if (!picture) return;
    this.#picture?.close();
    this.#picture = picture;
    this.#made = await settingsIn(file);
    this.#show();
    this.#say('The next drawing starts from this picture. Paint where it is to change, or let all of it change.');
  }

  /** What an earlier drawing started from; undefined: nothing. */
  async restore(start: Start | undefined): Promise<void> {
    if (!start) return this.remove();
    if (start.image.width !== this.#size.width || start.image.height !== this.#size.height) {
      return this.#say('That picture is of another size than this model draws: drop it again.');
    }
    this.#picture?.close();
    this.#picture = await createImageBitmap(start.image);
    this.#made = undefined;
    this.#show();
    if (start.mask) this.#mask.set(start.mask.slice());
  }

  remove(): void {
    this.#picture?.close();
    this.#picture = undefined;
    this.#made = undefined;
    this.#show();
  }

  async #loadMask(file: Blob): Promise<void> {
    const picture = await this.#decoded(file, 'a mask');
    if (!picture) return;
    this.#mask.set(maskOf(fitted(picture, this.#size.width, this.#size.height)));
    picture.close();
    if (!this.#mask.value) this.#say('The mask is black everywhere, so it changes nothing. White is drawn again.');
  }

  async #decoded(file: Blob, what: string): Promise<ImageBitmap | undefined> {
    try {
      return await createImageBitmap(file);
    } catch (error) {
      const name = file instanceof File ? file.name : 'The file';
      this.#say(`${name} cannot be read as ${what}: ${sentenceOf(error)} Choose a PNG, JPEG or WebP file.`);
      return undefined;
    }
  }

  #show(): void {
    const { width, height } = this.#size;
    find('#started').hidden = !this.#picture;
    find('#start-made').hidden = !this.#made;
    this.#image = this.#picture && fitted(this.#picture, width, height);
    this.#mask.reset(width, height);
    if (!this.#image) return;
    find<HTMLDetailsElement>('#start').open = true;
    [paper.width, paper.height] = [width, height];
    paper.getContext('2d')!.putImageData(this.#image, 0, 0);
  }
}
