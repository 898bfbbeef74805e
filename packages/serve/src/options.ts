import type { Pipeline } from '@paris/sampler';
import type { Device } from '@paris/tensor';

/** What a server takes on: numbers from 1 on; what takes time may take `Infinity`. */
export interface Limits {
  /** Requests that wait or are drawn; one more gets 429 with `Retry-After`. Default 64. */
  readonly queue: number;
  /** Pictures that are drawn together at most, in powers of two. Default 16. */
  readonly batch: number;
  /** Default 200. */
  readonly steps: number;
  /** Pictures of a request, `n`. Default 10. */
  readonly pictures: number;
  /** Characters of a prompt, and of a negative one. Default 4,000. */
  readonly promptCharacters: number;
  /** Of a JSON body; an upload may have 64 times as many. Default 256 KiB. */
  readonly bodyBytes: number;
  /** For a body to arrive. Default 20 seconds. */
  readonly bodyMs: number;
  /** From when a request is read, and the model is there, to its pictures. Default 5 minutes. */
  readonly requestMs: number;
}

/** The limits where nothing else is said. */
export const defaultLimits: Limits = {
  queue: 64,
  batch: 16,
  steps: 200,
  pictures: 10,
  promptCharacters: 4000,
  bodyBytes: 256 * 1024,
  bodyMs: 20_000,
  requestMs: 300_000,
};

/** One line for each request. Prompts, pictures and keys are not in it. */
export interface LogEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
}

/** What is served, and to whom. */
export interface ServeOptions {
  /** The model's name, `model` in requests. */
  readonly name: string;
  /** Loads the model: once at first, and again where its device was lost. */
  readonly open: () => Promise<Pipeline>;
  /**
   * Loads a weaker model on that model's device, such as an earlier checkpoint: requests can then ask for `autoguidance`. Called
   * after each `open`. Default: there is none, and such requests are refused.
   */
  readonly openWeaker?: ((device: Device) => Promise<Pipeline>) | undefined;
  /** If given, `Authorization: Bearer …` must hold it. An empty one is refused: without a header it would be sent. */
  readonly apiKey?: string | undefined;
  /**
   * Names that clients may call this server by (the `Host` header, without the port): what keeps pages of other hosts out that
   * have their name point here. Addresses are always allowed. Default: localhost. `*` allows all.
   */
  readonly hosts?: readonly string[];
  /** Pages of these origins, such as `https://example.com`, may call it (CORS). Default: none but its own. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<Limits>;
  /** Called when a request ends, a stream with its last picture. Default: nothing is logged. */
  readonly log?: (entry: LogEntry) => void;
  /** Called with what made a request fail with status 500, of which its client hears nothing. Default: `console.error`. */
  readonly onFailure?: (error: unknown) => void;
}
