/** From a model's folder to a pipeline: everything is checked before anything is believed. */

import { dit } from '@paris/dit';
import { type FileSource, httpStore, parseJson } from '@paris/files';
import { readHeader, streamSafetensors } from '@paris/files/safetensors';
import {
  type Architecture,
  type Codec,
  codecByName,
  compareParameters,
  type Expert,
  expertFolder,
  findArchitecture,
  indexPath,
  isFiniteData,
  type ModelIndex,
  type NoisePath,
  noisePath,
  type PromptEncoder,
  parameterShapes,
  parseModelIndex,
  type Router,
  readVocabulary,
  requiredFiles,
  shortList,
  type Vocabulary,
  verifiedStore,
  wordEncoder,
} from '@paris/model';
import { routerTransformer } from '@paris/router';
import {
  CheckpointError,
  type Device,
  openDevice,
  type Tensor,
  type TreeOf,
  unflattenTree,
  uploadTensor,
  ValueError,
} from '@paris/tensor';
import { openFolder } from '#folder';
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
  readonly codecs?: readonly Codec[];
  /**
   * How weights lie in device memory, whatever the files hold. f16 takes half of it, on adapters with `shader-f16`;
   * arithmetic is f32 in either. Default f32.
   */
  readonly weights?: 'f32' | 'f16';
  /** For models without a `text` folder whose experts take a condition. */
  readonly promptEncoder?: PromptEncoder;
  /** Called as bytes of experts, router and the other files that loading needs arrive. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends loading with its reason, at the next bytes that arrive; what was loaded is released. */
  readonly signal?: AbortSignal | undefined;
}

/** How far loading is, in bytes. */
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
  const { device, index, path, codec, vocabulary, experts, router, close } = await loadModel(source, options);
  try {
    const promptEncoder = options.promptEncoder ?? (vocabulary && wordEncoder(device, vocabulary));
    const model = mixture({ device, experts, router, path, paths: options.paths ?? [] });
    return new Pipeline({ device, index, path, codec, model, promptEncoder, close });
  } catch (error) {
    await close();
    throw error;
  }
}

/** A model's networks with their weights on a device. */
export interface LoadedModel {
  readonly device: Device;
  readonly index: ModelIndex;
  /** The noise path that is sampled on. */
  readonly path: NoisePath;
  readonly codec: Codec;
  /** The words of the built-in prompt encoder, where the model has any. */
  readonly vocabulary: Vocabulary | undefined;
  /** By cluster. Experts with the same config share one `expert`, and so their compiled plans. */
  readonly experts: readonly LoadedExpert[];
  /** A model of one expert has none. */
  readonly router: LoadedRouter | undefined;
  /** Releases the weights, and the device if loading opened it. */
  close(): Promise<void>;
}

/**
 * Loads what {@link loadPipeline} samples with, checked in the same way, for whoever asks experts and router themselves.
 * @throws CheckpointError that lists what does not fit
 */
export async function loadModel(source: string | URL | FileSource, options: LoadOptions = {}): Promise<LoadedModel> {
  const store = openSource(source);
  const index = await readIndex(
    store,
    String(source instanceof URL || typeof source === 'string' ? source : 'the store'),
  );
  const { architectures = [], routers = [], paths = [], weights: floats = 'f32', onProgress, signal } = options;
  const wanted = requiredFiles(index.clusters);
  const totalBytes = index.files.reduce((sum, { path, sizeBytes }) => sum + (wanted.includes(path) ? sizeBytes : 0), 0);
  let loadedBytes = 0;
  const files = verifiedStore(store, index, (count, file) => {
    signal?.throwIfAborted();
    if (!wanted.includes(file)) return;
    loadedBytes += count;
    onProgress?.({ file, loadedBytes, totalBytes });
  });

  const path = noisePath(index.path, paths);
  const codec = codecByName(index.codec, options.codecs);
  const experts = await readNetworks(files, expertFolders(index), [...architectures, dit]);
  const router =
    index.clusters > 1 ? (await readNetworks(files, ['router'], [...routers, routerTransformer]))[0] : undefined;
  const problems = [...experts, ...(router ? [router] : [])].flatMap(({ folder, problems }) =>
    problems.map((problem) => `${folder}: ${problem}`),
  );
  const clusters = router?.network.clusters ?? 1;
  if (clusters !== index.clusters) {
    problems.push(`router: it knows ${clusters} clusters, the model has ${index.clusters} experts`);
  }
  if (problems.length > 0) {
    throw new CheckpointError('loadPipeline', `the model does not fit together. ${problems.join('; ')}.`);
  }

  const device = options.device ?? (await openDevice());
  const owned: Tensor[] = [];
  const close = async () => {
    for (const tensor of owned.splice(0)) tensor.dispose();
    if (!options.device) await device.close();
  };
  try {
    const load = async (folder: string): Promise<TreeOf<Tensor>> => {
      const broken: string[] = [];
      const leaves: { path: string; value: Tensor }[] = [];
      for await (const [path, tensor] of streamSafetensors(files, `${folder}/model.safetensors`)) {
        if (!isFiniteData(tensor.data)) broken.push(path);
        const value = uploadTensor(device, tensor, floats);
        owned.push(value);
        leaves.push({ path, value });
      }
      if (broken.length > 0) {
        const where = `${folder}: NaN or infinity in ${shortList(broken)}`;
        throw new CheckpointError('loadPipeline', `${where}. Train it again, or from an earlier checkpoint.`);
      }
      return unflattenTree(leaves);
    };
    const loaded = [];
    for (const { folder, network } of experts) loaded.push({ expert: network, params: await load(folder) });
    const loadedRouter = router && { router: router.network, params: await load('router') };
    const hasWords = await files.exists('text/vocabulary.json');
    const vocabulary = hasWords ? await readVocabulary(files) : undefined;
    return { device, index, path, codec, vocabulary, experts: loaded, router: loadedRouter, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A network that a config.json describes, and what its file of weights lacks. */
interface ReadNetwork<N> {
  readonly folder: string;
  readonly network: N;
  readonly problems: readonly string[];
}

/** Equal configs give one network object, so that its compiled plans serve all their weights. */
async function readNetworks<N extends { init: Parameters<typeof parameterShapes>[0]['init'] }>(
  files: FileSource,
  folders: readonly string[],
  architectures: readonly { readonly architecture: string; fromConfig(json: unknown): N }[],
): Promise<ReadNetwork<N>[]> {
  const byConfig = new Map<string, N>();
  const networks: ReadNetwork<N>[] = [];
  for (const folder of folders) {
    const path = `${folder}/config.json`;
    const origin = { tag: 'loadPipeline', path, fix: 'Give yours as architectures (or routers).' };
    const json = parseJson(await files.read(path), origin);
    const text = JSON.stringify(json);
    const network = byConfig.get(text) ?? findArchitecture(json, architectures, origin).fromConfig(json);
    byConfig.set(text, network);
    const header = await readHeader(files, `${folder}/model.safetensors`);
    networks.push({ folder, network, problems: compareParameters(parameterShapes(network), header) });
  }
  return networks;
}

async function readIndex(store: FileSource, where: string): Promise<ModelIndex> {
  if (!(await store.exists(indexPath))) {
    throw new CheckpointError('loadPipeline', `there is no ${indexPath} in ${where}. Give the folder that holds it.`);
  }
  return parseModelIndex(await store.read(indexPath));
}

function expertFolders({ clusters }: ModelIndex): string[] {
  return Array.from({ length: clusters }, (_, cluster) => expertFolder(cluster));
}

function openSource(source: string | URL | FileSource): FileSource {
  if (typeof source === 'object' && !(source instanceof URL)) return source;
  const address = String(source);
  if (/^https?:/i.test(address)) return httpStore(address);
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address) ?? [];
  if (scheme === undefined || scheme === 'file://') return openFolder(address);
  throw new ValueError('loadPipeline', `${scheme} is not read. Give a folder, an http(s) URL or a FileStore.`);
}
