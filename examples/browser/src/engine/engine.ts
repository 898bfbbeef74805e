// What the page needs of whatever draws for it: this browser, or a server.

/** Draws pictures of one model. */
export interface Engine {
  readonly model: ModelInfo;
  /** @throws DeviceLost; an error whose message is a sentence for people; the signal's reason if it was aborted */
  draw(request: DrawRequest, show: Show, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** The device is gone, with the model on it: opening the model again helps. */
export class DeviceLost extends Error {}

export interface ModelInfo {
  readonly name: string;
  /** What computes, as a phrase: `on this device: …`. */
  readonly place: string;
  readonly experts: number;
  readonly width: number;
  readonly height: number;
  /** Whether there is a weaker model to lead away from. */
  readonly autoguidance: boolean;
  /** The policy where none is chosen. */
  readonly routing: string;
  readonly licence: string | null;
  readonly samplers: readonly string[];
  readonly schedules: readonly string[];
  readonly maxSteps: number;
  readonly maxPictures: number;
  /** The words that the model knows and how many of a prompt it reads; null where it reads any prompt. */
  readonly vocabulary: Vocabulary | null;
  /** Names of classes, where the model takes a class in place of a prompt. */
  readonly labels: readonly string[] | null;
}

export interface Vocabulary {
  readonly words: readonly string[];
  readonly maxTokens: number;
}

/** Everything that decides what is drawn. */
export interface DrawRequest {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly seed: number;
  /** Which picture of the seed is the first one. */
  readonly picture: number;
  readonly count: number;
  /** Where the noise is moved first: to that of a variation, and from there to another. */
  readonly moves?: readonly Move[];
  readonly steps: number;
  readonly sampler: string;
  readonly schedule: string;
  readonly guidance: Guidance;
  /** How far a weaker model is led away from. */
  readonly autoguidance?: number;
  /** Empty: the model's own. */
  readonly routing: string;
  /** Pictures like the first one: its noise moves by `strength` of the way towards that of this seed's pictures. */
  readonly variation?: { readonly seed: number; readonly strength: number };
  /** A picture of the model's size to start from. */
  readonly start?: Start;
}

/** Towards the noise of a seed's picture, by `strength` of the way. */
export interface Move {
  readonly seed: number;
  readonly picture: number;
  readonly strength: number;
}

export interface Guidance {
  readonly scale: number;
  readonly start: number;
  readonly stop: number;
  readonly rescale: number;
  readonly kind: 'cfg' | 'apg';
}

export interface Start {
  readonly image: ImageData;
  /** How much is drawn again, from 0 to 1. */
  readonly strength: number;
  /** A byte for each pixel: 255 is drawn again, 0 is kept. Left out: all is drawn again. */
  readonly mask?: Uint8Array<ArrayBuffer>;
}

/** Where the engine shows how it gets on. */
export interface Show {
  step(event: Step): void;
  finished(picture: Finished): void;
}

/** One step of one picture. */
export interface Step {
  /** Which picture of the request, from 0. */
  readonly picture: number;
  readonly step: number;
  readonly steps: number;
  /** Each expert's weight, [K], sum 1. */
  readonly weights: readonly number[];
  readonly preview: ImageBitmap;
}

export interface Finished {
  readonly picture: number;
  /** A PNG file that says how the picture was made. */
  readonly png: Blob;
  /** [steps][K] */
  readonly weightsByStep: readonly (readonly number[])[];
}
