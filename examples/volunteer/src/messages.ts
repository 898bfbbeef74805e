// What the page asks its worker for, and what comes back. Every request has one answer; while it trains, the worker also tells
// what happens.

/** A job, as far as a volunteer should know it before the work begins. */
export interface JobView {
  /** The first half of the bundle's SHA-256: under this name the browser keeps it. */
  id: string;
  /** Where it came from, if by a link. */
  address?: string | undefined;
  /** Whether the kept copy is shown, because the address did not answer. */
  isKeptCopy: boolean;
  signer: string;
  /** Whether this volunteer has agreed to work for the signer, and the name that they gave them. */
  trust: { trusted: boolean; name: string };
  cluster: number;
  pictures: number;
  licences: { [licence: string]: number };
  /** Pictures by source; empty where none is named. */
  sources: { [source: string]: number };
  steps: number;
  batchSize: number;
  maxHours?: number | undefined;
  /** Where the pictures are, if not in the bundle. */
  dataAt?: string | undefined;
  bundleBytes: number;
  /** A few of the pictures, with their captions. */
  examples: Picture[];
  run: RunView;
}

/** A picture of three channels, in rows, red green blue. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
  caption: string;
}

/** What this browser has of a job. */
export interface RunView {
  state: 'new' | 'begun' | 'finished';
  /** Steps that a checkpoint holds. */
  step: number;
  /** Losses of the steps so far, thinned out. */
  losses: Point[];
  samples: Sample[];
}

/** The mean loss of the steps up to this one. */
export interface Point {
  step: number;
  loss: number;
}

/** Pictures that the expert drew, side by side. */
export interface Sample {
  step: number;
  prompts: string[];
  png: Blob;
}

/** A job that this browser keeps. */
export interface KeptJob {
  id: string;
  address?: string | undefined;
  cluster: number;
  steps: number;
  step: number;
  finished: boolean;
}

/** What the page asks for. */
export type Request =
  | { kind: 'kept' }
  | { kind: 'open'; address: string; key?: string | undefined }
  | { kind: 'openFile'; file: Blob; key?: string | undefined }
  | { kind: 'openKept'; id: string }
  | { kind: 'trust'; name: string }
  | { kind: 'revoke' }
  | { kind: 'train'; device: 'cpu' | 'webgpu' | undefined }
  | { kind: 'pause' }
  | { kind: 'result' }
  | { kind: 'submit'; address: string }
  | { kind: 'forget' }
  | { kind: 'secretKey' };

/** What it gets, by the kind of the request. */
export interface Answers {
  kept: KeptJob[];
  open: JobView;
  openFile: JobView;
  openKept: JobView;
  trust: null;
  revoke: null;
  /** Whether all steps are done: else it was paused. */
  train: { finished: boolean; step: number };
  pause: null;
  result: { name: string; bundle: Blob; publicKey: string };
  submit: { receipt: string };
  forget: null;
  secretKey: { publicKey: string; secretKey: string };
}

/** What happens on the way. */
export type Happening =
  /** `isExact`: the same bits as on any other machine, so that the result can be checked bit for bit. */
  | { kind: 'device'; adapter: string; isExact: boolean; insteadOfGpu?: string | undefined }
  | { kind: 'start'; step: number; steps: number; needBytes: number; freeBytes?: number | undefined }
  | { kind: 'progress'; step: number; steps: number; secondsLeft?: number | undefined; losses: Point[] }
  | { kind: 'saved'; step: number }
  | { kind: 'sample'; sample: Sample }
  | { kind: 'notice'; message: string };

/** From the page to the worker. */
export interface Asked {
  id: number;
  request: Request;
}

/** From the worker to the page. */
export type Told =
  | { id: number; answer: Answers[Request['kind']] }
  | { id: number; error: string }
  | { happening: Happening };
