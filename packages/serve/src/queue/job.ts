import {
  type Guidance,
  type MaskImage,
  meanWeights,
  type Origin,
  type PictureSeed,
  type PreviewTier,
  type RgbImage,
  type RoutingRecord,
} from '@paris/sampler';

/** What must be equal for pictures to be drawn together. */
export interface Shape {
  readonly steps: number;
  readonly sampler: string;
  readonly schedule: string;
  readonly shift: number | undefined;
  /** Left out: what the model's kind is usually drawn with. */
  readonly guidance: number | Guidance | undefined;
  /** How far a weaker model is led away from; only where there is one. */
  readonly autoguidance: number | undefined;
  readonly routing: string | undefined;
  readonly strength: number | undefined;
  /** How far noise moves towards `goals`. */
  readonly variation: number | undefined;
  /** With a mask, requests are drawn alone. */
  readonly mask: MaskImage | undefined;
}

/** A picture of a request while it is drawn. */
export interface Preview {
  /** Which picture of the request. */
  readonly picture: number;
  readonly step: number;
  readonly steps: number;
  /** How many previews of this picture there were before. */
  readonly index: number;
  readonly image: RgbImage;
  /** Each expert's weight in this step. */
  readonly weights: readonly number[];
}

/** A picture that is done. */
export interface Drawn {
  readonly picture: number;
  readonly image: RgbImage;
  /** Each expert's mean weight. */
  readonly weights: readonly number[];
  /** Each expert's weight in each step. */
  readonly weightsByStep: readonly (readonly number[])[];
}

/** What a request asks of the device. */
export interface JobRequest {
  readonly shape: Shape;
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly count: number;
  /** Whose noise each picture starts from, and towards whose it moves if the shape has a variation. */
  readonly origins: readonly Origin[];
  readonly goals: readonly PictureSeed[];
  readonly image: RgbImage | undefined;
  /** Previews of each picture: how many, and how exact. */
  readonly previews: { readonly count: number; readonly tier: PreviewTier };
  readonly signal: AbortSignal;
  readonly onPreview?: (preview: Preview) => void;
  readonly onDrawn?: (drawn: Drawn) => void;
}

/** A request in the queue. */
export class Job {
  readonly drawn: Drawn[] = [];
  /** Pictures that nobody draws yet. */
  waiting: number[];
  readonly done: Promise<readonly Drawn[]>;
  settled = false;
  #key: string;
  #resolve: (drawn: readonly Drawn[]) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(readonly request: JobRequest) {
    const { mask, ...shape } = request.shape;
    this.#key = mask ? crypto.randomUUID() : JSON.stringify([shape, request.image !== undefined]);
    this.waiting = Array.from({ length: request.count }, (_, i) => i);
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined); // those who wait for it hear of it
  }

  /** Jobs of one key may be drawn together. */
  get key(): string {
    return this.#key;
  }

  /** Takes back pictures that were not drawn, to be drawn with those of no other job. */
  separate(pictures: readonly number[]): void {
    this.#key = crypto.randomUUID();
    this.waiting.unshift(...pictures);
  }

  /** Shows a picture that is being drawn. */
  show(preview: Preview): void {
    if (!this.settled) this.#say(() => this.request.onPreview?.(preview));
  }

  /** Takes a finished picture. */
  finish(drawn: Drawn): void {
    if (this.settled) return;
    this.drawn.push(drawn);
    this.#say(() => this.request.onDrawn?.(drawn));
    if (this.settled || this.drawn.length < this.request.count) return;
    this.settled = true;
    this.#resolve(this.drawn.toSorted((a, b) => a.picture - b.picture));
  }

  fail(error: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#reject(error);
  }

  /** What goes wrong where a client is answered is that client's alone. */
  #say(what: () => void): void {
    try {
      what();
    } catch (error) {
      this.fail(error);
    }
  }
}

/** Each expert's mean weight, with the digits that answers show. */
export function sharesOf(records: readonly RoutingRecord[]): number[] {
  return meanWeights(records).map((weight) => Math.round(weight * 1e4) / 1e4);
}
