/** From a model's folder to a pipeline: everything is checked before anything is believed. */
import { dit } from '@paris/dit';
import { type FileSource, httpStore } from '@paris/files';
import {
  type Architecture,
  type Codec,
  type Expert,
  identityCodec,
  type ModelIndex,
  type NoisePath,
  noisePath,
  type PromptEncoder,
  promptEncoderOf,
  type Router,
  readModelIndex,
  readNetworks,
  requiredFiles,
  type TextEncoder,
  type Vocabulary,
  verifiedStore,
  vocabularyOf,
  weightLoader,
  wordList,
} from '@paris/model';
import { routerTransformer } from '@paris/router';
import { type Device, openDevice, type Tensor, type TreeOf, ValueError } from '@paris/tensor';
import { openFolder } from '#folder';
import { type LoadedCodec, pictureDecoder } from '../images/decode.js';
import { type LoadedExpert, type LoadedRouter, mixture } from '../routing/mixture.js';
import { Pipeline } from './pipeline.js';

/** Parts of your own, and where to report progress. */
export interface LoadOptions {
  /** Default: one of its own, which `close()` closes. */
  readonly device?: Device;
  /** Experts' architectures beside the built-in `dit`; yours win over it. */
  readonly architectures?: readonly Architecture<Expert>[];
  /** Routers' architectures beside the built-in `router-transformer`. */
  readonly routers?: readonly Architecture<Router>[];
  readonly paths?: readonly NoisePath[];
  /** Codecs' architectures beside the built-in `identity`. */
  readonly codecs?: readonly Architecture<Codec>[];
  /** Text encoders' architectures beside the built-in `word-list`. */
  readonly textEncoders?: readonly Architecture<TextEncoder>[];
  /**
   * How weights lie in device memory, whatever the files hold. f16 takes half of it, on adapters with `shader-f16`;
   * arithmetic is f32 in either. Default f32.
   */
  readonly weights?: 'f32' | 'f16';
  /** In place of the model's text side, which is then not read; and for models without one whose experts take a condition. */
  readonly promptEncoder?: PromptEncoder;
  /** Called as bytes of experts, router and the other files that loading needs arrive. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends loading with its reason, at the next bytes that arrive; what was loaded is released. */
  readonly signal?: AbortSignal | undefined;
}

/** How far loading is, in bytes of files: each counts once, however often it is read. */
export interface LoadProgress {
  /** The file that was read from last. */
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

/**
 * Loads a model. Every file is checked against the size and the SHA-256 in the model's index, and every weight's name
 * and shape against its network, before anything is sent to the device; and no weight may be NaN or infinite.
 * @param source - a folder's path (in Node), a URL, or any store of files
 * @throws CheckpointError that lists what does not fit
 */
export async function loadPipeline(source: string | URL | FileSource, options: LoadOptions = {}): Promise<Pipeline> {
  const { device, index, path, codec, text, vocabulary, experts, router, close } = await loadModel(source, options);
  const own = text && !options.promptEncoder ? promptEncoderOf(device, text.encoder, text.params) : undefined;
  const closeAll = async () => {
    own?.dispose?.();
    await close();
  };
  try {
    const model = mixture({ device, experts, router, path, paths: options.paths ?? [] });
    const promptEncoder = options.promptEncoder ?? own;
    return new Pipeline({
      device,
      index,
      path,
      decode: pictureDecoder(device, codec),
      model,
      promptEncoder,
      vocabulary: options.promptEncoder ? undefined : vocabulary,
      close: closeAll,
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** A text encoder with its weights on the device. */
export interface LoadedTextEncoder {
  readonly encoder: TextEncoder;
  readonly params: TreeOf<Tensor>;
}

/** A model's networks with their weights on a device. */
export interface LoadedModel {
  readonly device: Device;
  readonly index: ModelIndex;
  /** The noise path that is sampled on. */
  readonly path: NoisePath;
  readonly codec: LoadedCodec;
  /** What prompts are encoded with, where the model has a text side. */
  readonly text: LoadedTextEncoder | undefined;
  /** The words of the built-in word list, where the model has it. */
  readonly vocabulary: Vocabulary | undefined;
  /** By cluster. Experts with the same config share one `expert`, and so their compiled plans. */
  readonly experts: readonly LoadedExpert[];
  /** A model of one expert has none. */
  readonly router: LoadedRouter | undefined;
  /** Releases the weights, and the device if loading opened it. */
  close(): Promise<void>;
}

/**
 * Loads what {@link loadPipeline} samples with, checked in the same way, for code that asks experts and router itself.
 * @throws CheckpointError that lists what does not fit
 */
export async function loadModel(source: string | URL | FileSource, options: LoadOptions = {}): Promise<LoadedModel> {
  const store = openSource(source);
  const index = await readModelIndex(store, store === source ? 'the store' : String(source));
  const files = watchedFiles(store, index, options);
  const path = noisePath(index.path, options.paths);
  const networks = await readNetworks(files, index, {
    experts: [...(options.architectures ?? []), dit],
    routers: [...(options.routers ?? []), routerTransformer],
    codecs: [...(options.codecs ?? []), identityCodec],
    textEncoders: options.promptEncoder ? undefined : [...(options.textEncoders ?? []), wordList],
  });

  const device = options.device ?? (await openDevice());
  const weights = weightLoader(device, files, options.weights ?? 'f32');
  const close = async () => {
    weights.release();
    if (!options.device) await device.close();
  };
  try {
    const experts: LoadedExpert[] = [];
    for (const each of networks.experts) experts.push({ expert: each.network, params: await weights.load(each) });
    const router = networks.router && {
      router: networks.router.network,
      params: await weights.load(networks.router),
    };
    const codec = { codec: networks.codec.network, params: await weights.load(networks.codec) };
    const text = networks.text && { encoder: networks.text.network, params: await weights.load(networks.text) };
    const vocabulary = text && vocabularyOf(text.encoder);
    return { device, index, path, codec, text, vocabulary, experts, router, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The model's files, checked as they are read, with reports of how far loading is; the signal stops it at the next bytes. */
function watchedFiles(store: FileSource, index: ModelIndex, { onProgress, signal }: LoadOptions): FileSource {
  const wanted = [...requiredFiles(index.clusters), 'codec/model.safetensors', 'text/model.safetensors'];
  const totalBytes = index.files.reduce((sum, { path, sizeBytes }) => sum + (wanted.includes(path) ? sizeBytes : 0), 0);
  const pieces = new Set<string>();
  let loadedBytes = 0;
  return verifiedStore(store, index, (count, file, offset) => {
    signal?.throwIfAborted();
    const piece = `${offset} ${file}`;
    if (!wanted.includes(file) || pieces.has(piece)) return; // the header's piece is often read again for the weights
    pieces.add(piece);
    loadedBytes += count;
    onProgress?.({ file, loadedBytes, totalBytes });
  });
}

function openSource(source: string | URL | FileSource): FileSource {
  if (typeof source === 'object' && !(source instanceof URL)) return source;
  const address = String(source);
  if (/^https?:/i.test(address)) return httpStore(address);
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address) ?? [];
  if (scheme === undefined || scheme === 'file://') return openFolder(address);
  throw new ValueError('loadPipeline', `${scheme} is not read. Give a folder, an http(s) URL or a FileStore.`);
}
