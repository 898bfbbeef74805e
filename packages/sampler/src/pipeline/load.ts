/** From a model's folder to a pipeline: everything is checked before anything is believed. */
import { dit } from '@paris/dit';
import { checkName, encodeJson, type FileSource, sha256, withoutSecrets } from '@paris/files';
import type { TimeLeft } from '@paris/files/download';
import {
  type Architecture,
  type Codec,
  type Expert,
  floatFormat,
  identityCodec,
  indexPath,
  isQuantized,
  type LabelSet,
  labelsOf,
  limits,
  type ModelIndex,
  type ModelNetworks,
  type NoisePath,
  noisePath,
  type PromptEncoder,
  parseModelIndex,
  promptEncoderOf,
  type Router,
  readNetworks,
  requiredFiles,
  type TextEncoder,
  toFlat,
  type Vocabulary,
  verifiedStore,
  vocabularyOf,
  type WeightFormat,
  type WeightLoader,
  weightFormats,
  weightLoader,
  wordList,
} from '@paris/model';
import { routerTransformer } from '@paris/router';
import { CheckpointError, type Device, openDevice, type Tensor, type TreeOf, ValueError } from '@paris/tensor';
import { codecs, textEncoders } from '#encoders';
import { openFolder } from '#folder';
import { foreignReader } from '#foreign';
import { isNonCommercial, saidLicence } from '../foreign/licence.js';
import type { ForeignReader } from '../foreign/reader.js';
import type { ForeignSource, NamedSource } from '../foreign/source.js';
import { codecSide, type LoadedCodec } from '../images/decode-latents.js';
import { type ExpertShelf, type LoadedExpert, residentShelf } from '../residency/shelf.js';
import { mixture } from '../routing/mixture.js';
import type { LoadedRouter } from '../routing/networks.js';
import type { DownloadOptions } from './download.js';
import { pathsOption } from './named.js';
import type { PartialModel } from './partial.js';
import { Pipeline } from './pipeline.js';

/** Parts of your own, and where to report progress. */
export interface LoadOptions extends DownloadOptions {
  /** Default: one of its own, which `close()` closes. */
  readonly device?: Device;
  /** Experts' architectures in addition to the built-in `dit`; yours win over it. */
  readonly architectures?: readonly Architecture<Expert>[];
  /** Routers' architectures in addition to the built-in `router-transformer`. */
  readonly routers?: readonly Architecture<Router>[];
  readonly paths?: readonly NoisePath[];
  /** Codecs' architectures in addition to the built-in `identity`, and in Node and Deno those of `@paris/encoders/autoencoder`. */
  readonly codecs?: readonly Architecture<Codec>[];
  /** Text encoders' architectures in addition to the built-in `word-list`, and in Node and Deno that of `@paris/encoders/clip`. */
  readonly textEncoders?: readonly Architecture<TextEncoder>[];
  /**
   * How weights lie in device memory, whatever the files hold. f16 takes half of it, on adapters with `shader-f16`. q8 and q4
   * quantize experts while they load (in a page, with `foreignModels`), and the rest is f16 where the adapter has it.
   * Arithmetic is f32 with all of them. Default f32; what is stored in q8 or q4 stays so.
   */
  readonly weights?: WeightFormat;
  /**
   * Most bytes of device memory that all weights may take together. Experts then come when the router asks for them, and the
   * least recently used leave; none is there at first, see `Pipeline.preload`. The pictures are the same, bit for bit. A larger
   * batch needs fewer swaps. Default: all experts are loaded and stay.
   */
  readonly memoryBudgetBytes?: number | undefined;
  /** In place of the model's text side, which is then not read; and for models without one whose experts take a condition. */
  readonly promptEncoder?: PromptEncoder;
  /** What a model in somebody else's form does not say of itself. */
  readonly foreign?: ForeignSource;
  /** What reads models in other people's forms: in a page, `foreignModels` of `@paris/sampler/import`. Default: none there. */
  readonly foreignModels?: ForeignReader;
  /**
   * Called with a line that says what a model in somebody else's form was recognised as and by what, and with one about its
   * licence, which is also said of a model of ours that is for NonCommercial use only. Default: `console.info`.
   */
  readonly onNotice?: (line: string) => void;
  /** Called as bytes of experts, router and the other files that loading needs arrive. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /**
   * Ends loading with its reason, at the next bytes that arrive; what was loaded is released. A pipeline that was loaded no longer
   * listens to it, whatever it reads later within a memory budget.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How far loading is, in bytes of files: each counts once, however often it is read. */
export interface LoadProgress {
  /** The file that was read from last. */
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
  /** Of downloads, at the pace of the last ten seconds; undefined until that means something. */
  readonly secondsLeft?: number | undefined;
}

/**
 * Loads a model. Every file is checked against the size and the SHA-256 in the model's index, and every weight's name
 * and shape against its network, before anything is sent to the device; and no weight may be NaN or infinite, nor become so
 * in f16, where `weights` asks for that.
 *
 * A model in somebody else's form is recognised by its files: a folder of diffusers (DiT, PixArt), the released Paris, or one
 * file of weights. It has no index to check hashes by; names, shapes and configs are checked all the same.
 * @param source - a folder's path (in Node), a URL, `hf:owner/name`, the path or URL of a file of weights, or any store of files
 * @throws CheckpointError that lists what does not fit; ValueError for another format of `weights`
 */
export async function loadPipeline(source: string | URL | FileSource, options: LoadOptions = {}): Promise<Pipeline> {
  const { signal } = options;
  if (!signal) return openPipeline(source, options);
  // What reads files keeps its signal, so it gets one that is forgotten when loading is done.
  const loading = new AbortController();
  const abort = () => loading.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await openPipeline(source, { ...options, signal: loading.signal });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function openPipeline(source: string | URL | FileSource, options: LoadOptions): Promise<Pipeline> {
  const opened = await openModel(source, options);
  const { device, index, path, paths, partial } = opened;
  let own: PromptEncoder | undefined;
  const close = async () => {
    own?.dispose?.();
    await opened.close();
  };
  try {
    const { memoryBudgetBytes, promptEncoder } = options;
    const all =
      memoryBudgetBytes === undefined
        ? residentShelf(await loadExperts(opened))
        : await budgeted(opened, memoryBudgetBytes);
    const shelf = partial ? partial.shelf(all) : all;
    const { router, codec, text, vocabulary, labels } = await loadOthers(opened);
    own = text && !promptEncoder ? promptEncoderOf(device, text.encoder, text.params) : undefined;
    return new Pipeline({
      ...{ device, index, path, shelf, labels, close },
      modelHash: await hashOf(index),
      codec: codec.codec,
      encode: codecSide(device, codec, 'encode'),
      decode: codecSide(device, codec, 'decode'),
      model: mixture({ device, experts: shelf, router, path, paths }),
      promptEncoder: promptEncoder ?? own,
      vocabulary: promptEncoder ? undefined : vocabulary,
    });
  } catch (error) {
    await close();
    throw error;
  }
}

/** One hash for all of a model: that of its files' list or, where there is none, of what is known of it. */
function hashOf(index: ModelIndex): Promise<string> {
  return sha256(encodeJson(index.files.length > 0 ? index.files : index));
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
  /** Yours, and those that experts were trained on and that are not always there. */
  readonly paths: readonly NoisePath[];
  readonly codec: LoadedCodec;
  /** What prompts are encoded with, where the model has a text side. */
  readonly text: LoadedTextEncoder | undefined;
  /** The words of the built-in word list, where the model has it. */
  readonly vocabulary: Vocabulary | undefined;
  /** The classes that the experts know, where they take classes. */
  readonly labels: LabelSet | undefined;
  /** By cluster, see `index.absent`. Experts with the same config share one `expert`, and so their compiled plans. */
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
export async function loadModel(
  source: string | URL | FileSource,
  options: Omit<LoadOptions, 'memoryBudgetBytes'> = {},
): Promise<LoadedModel> {
  const opened = await openModel(source, options);
  const { device, index, path, paths, close } = opened;
  try {
    const experts = await loadExperts(opened);
    return { ...{ device, index, path, paths, experts, close }, ...(await loadOthers(opened)) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A model whose files were looked at; no weight is on the device yet. */
interface OpenedModel extends Pick<LoadedModel, 'device' | 'index' | 'path' | 'paths' | 'close'> {
  readonly networks: ModelNetworks;
  readonly weights: WeightLoader;
  readonly partial: PartialModel | undefined;
}

async function openModel(source: string | URL | FileSource, options: LoadOptions): Promise<OpenedModel> {
  const { weights: wanted = 'f32' } = options;
  checkName('loadPipeline', 'weights', wanted, weightFormats);
  const { store, file, timeLeft } = await openSource(source, options);
  const where = typeof source === 'object' && !(source instanceof URL) ? 'the store' : withoutSecrets(source);
  const own = file === undefined ? await readOwnIndex(store) : undefined;
  const foreign = own ? undefined : await (await readerOf(options, noIndex(where))).load(store, where, file, options);
  const index = own ?? foreign!.index;
  const { onNotice = console.info } = options;
  if (own && isNonCommercial(own.licence)) onNotice(saidLicence(own.licence));
  const files = watchedFiles(store, index, options, timeLeft);
  let networks: ModelNetworks =
    foreign?.networks ??
    (await readNetworks(files, index, {
      experts: [...(options.architectures ?? []), dit],
      routers: [...(options.routers ?? []), routerTransformer],
      codecs: [...(options.codecs ?? []), identityCodec, ...codecs],
      textEncoders: options.promptEncoder ? undefined : [...(options.textEncoders ?? []), wordList, ...textEncoders],
    }));
  if (isQuantized(wanted))
    networks = (await readerOf(options, `weights is ${wanted}. Give f32`)).quantize(networks, files, index, wanted);
  const paths = await pathsOption(
    [index.path, ...networks.experts.map(({ network }) => network.objective.path)],
    options.paths,
  );
  const path = noisePath(index.path, paths);
  const device = options.device ?? (await openDevice());
  const floats = isQuantized(wanted) && !device.hasFeature('shader-f16') ? 'f32' : floatFormat(wanted);
  const weights = weightLoader(device, files, floats);
  const { absent } = index;
  const partial = absent && (await import('./partial.js')).partialModel(device, networks, absent, refuseExpert);
  if (partial) networks = partial.networks;
  const close = async () => {
    weights.release();
    partial?.dispose();
    if (!options.device) await device.close();
  };
  return { device, index, path, paths, networks, weights, partial, close };
}

const refuseExpert = (what: string): never => {
  throw new ValueError('routing', `${what}.`);
};

async function loadExperts({ networks, weights }: OpenedModel): Promise<LoadedExpert[]> {
  const experts: LoadedExpert[] = [];
  for (const each of networks.experts) experts.push({ expert: each.network, params: await weights.load(each) });
  return experts;
}

/** Experts that come when they are asked for. @throws ValueError for a budget below one of them */
async function budgeted({ networks, weights }: OpenedModel, memoryBudgetBytes: number): Promise<ExpertShelf> {
  const { loadShelf } = await import('../residency/load-shelf.js');
  return loadShelf({
    ...{ networks, memoryBudgetBytes, bytesOf: weights.deviceBytes },
    load: async (k) => toFlat(await weights.load(networks.experts[k]!)),
    unload: (params) => weights.unload(params),
    refuse: (what) => {
      throw new ValueError('loadPipeline', `${what}.`);
    },
  });
}

/** What a model has besides experts. */
async function loadOthers({ networks, weights }: OpenedModel) {
  const router = networks.router && { router: networks.router.network, params: await weights.load(networks.router) };
  const codec = { codec: networks.codec.network, params: await weights.load(networks.codec) };
  const text = networks.text && { encoder: networks.text.network, params: await weights.load(networks.text) };
  return {
    router,
    codec,
    text,
    vocabulary: text && vocabularyOf(text.encoder),
    labels: labelsOf(networks.experts[0]!.config),
  };
}

/** The model's files, checked as they are read, with reports of how far loading is; the signal stops it at the next bytes. */
function watchedFiles(
  store: FileSource,
  index: ModelIndex,
  { onProgress, promptEncoder, signal }: LoadOptions,
  timeLeft?: TimeLeft,
): FileSource {
  const wanted = new Set([...requiredFiles(index.clusters), 'codec/model.safetensors']);
  if (!promptEncoder) wanted.add('text/model.safetensors');
  const totalBytes = index.files.reduce((sum, { path, sizeBytes }) => sum + (wanted.has(path) ? sizeBytes : 0), 0);
  const pieces = new Set<string>();
  let loadedBytes = 0;
  return verifiedStore(store, index, (count, file, offset) => {
    signal?.throwIfAborted();
    const piece = `${offset} ${file}`;
    if (!wanted.has(file) || pieces.has(piece)) return; // the header's piece is often read again for the weights
    pieces.add(piece);
    loadedBytes += count;
    onProgress?.({ file, loadedBytes, totalBytes, secondsLeft: timeLeft?.(loadedBytes, totalBytes) });
  });
}

/** The index of a model of ours; undefined if there is none, or somebody else's. @throws CheckpointError if ours is not sound */
async function readOwnIndex(store: FileSource): Promise<ModelIndex | undefined> {
  if (!(await store.exists(indexPath))) return undefined;
  const bytes = await store.read(indexPath, undefined, { maxBytes: limits.indexBytes });
  return new TextDecoder().decode(bytes).includes('"paris-model"') ? parseModelIndex(bytes) : undefined;
}

const noIndex = (where: string) => `there is no ${indexPath} of Paris in ${where}. Give a model's folder`;

/** What reads models of other people. In a page it is handed over. */
async function readerOf({ foreignModels }: LoadOptions, why: string): Promise<ForeignReader> {
  const reader = foreignModels ?? (await foreignReader?.());
  if (reader) return reader;
  throw new CheckpointError('loadPipeline', `${why}, or { foreignModels } from @paris/sampler/import.`);
}

/** A source's files, and the one of them that it names. */
async function openSource(source: string | URL | FileSource, options: LoadOptions): Promise<NamedSource> {
  if (typeof source === 'object' && !(source instanceof URL)) return { store: source };
  const address = String(source);
  // A folder or a server as usual; all else is said and done elsewhere.
  const isRare = /^(?!https?:|file:)[a-z][a-z0-9+.-]+:|\.(pth?|bin|safetensors)(\?|$)/i.test(address);
  if (isRare) return (await readerOf(options, noIndex(address))).openNamed(address, options);
  const folder = /^https?:/i.test(address) ? undefined : openFolder(address);
  if (folder) return { store: folder };
  const { download, timeLeft } = await import('./download.js');
  return { store: download(address, options), timeLeft: timeLeft() };
}
