// A model in somebody else's form, written down in ours.
import { checkName, encodeJson, type FileSource, type FileStore } from '@paris/files';
import { type HostTensor, safetensorsParts } from '@paris/files/safetensors';
import {
  floatFormat,
  isFiniteData,
  isQuantized,
  type ModelIndex,
  shortList,
  type WeightFormat,
  weightFormats,
  writeModelIndex,
  writtenTensors,
} from '@paris/model';
import { CheckpointError, ValueError } from '@paris/tensor';
import type { DownloadOptions } from '../pipeline/download.js';
import { openForeign } from './open.js';
import type { ForeignPart } from './part.js';
import { type ForeignSource, openForeignSource } from './source.js';

/** What is imported, and how it is written. */
export interface ImportOptions extends DownloadOptions {
  /** What the source does not say of itself; see `foreign` of `loadPipeline`. */
  readonly foreign?: ForeignSource;
  /**
   * How weights are written. q8 and q4 pack the experts' matrices in 8 or 4 bits and leave the rest in f16. Default: as the
   * source has them.
   */
  readonly weights?: WeightFormat | undefined;
  /** Called with a line that says what was recognised and by what, and with one about the licence. Default: nothing. */
  readonly onNotice?: (line: string) => void;
  /** Called before each network is read. */
  readonly onPart?: (folder: string, parts: number) => void;
  /** Ends the import with its reason; what was written stays, without an index. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a model in somebody else's form and writes it as a folder of ours, with an index, so that its files can be checked
 * from then on. Its licence and its model card come along. One network is in memory at a time.
 * @param source - a folder's path (in Node), a URL, `hf:owner/name`, the path or URL of a file of weights, or any store
 * @param out - empty
 * @throws CheckpointError if the model is not recognised, is not whole, or holds NaN, infinity, or numbers beyond `weights`;
 *   ValueError if `out` has files already, or for another format of `weights`
 */
export async function importModel(
  source: string | URL | FileSource,
  out: FileStore,
  options: ImportOptions = {},
): Promise<ModelIndex> {
  const { foreign, weights, onNotice, onPart, signal } = options;
  if (weights !== undefined) checkName('importModel', 'weights', weights, weightFormats);
  if ((await out.list('')).length > 0) {
    throw new ValueError('import', 'the folder to write has files already. Give a new one.');
  }
  const { store, where, hints } = await openForeignSource(source, foreign, options);
  const model = await openForeign(store, where, hints);
  for (const notice of model.notices) onNotice?.(notice);
  for (const part of model.parts) {
    onPart?.(part.folder, model.parts.length);
    await writePart(out, part, weights, signal);
  }
  for (const name of ['README.md', 'LICENSE', 'LICENSE.md', 'LICENSE.txt']) {
    if (await store.exists(name)) await out.write(name, await store.read(name, undefined, { maxBytes: 2 ** 22 }));
  }
  signal?.throwIfAborted();
  const { files: _, format: __, version: ___, ...description } = model.index;
  return writeModelIndex(out, { ...description, ...(isQuantized(weights) && { weights }) });
}

async function writePart(
  out: FileStore,
  part: ForeignPart<unknown>,
  weights: ImportOptions['weights'],
  signal?: AbortSignal,
): Promise<void> {
  const { folder, config, companions, hasWeights } = part;
  await out.write(`${folder}/config.json`, encodeJson(config));
  for (const [name, bytes] of Object.entries(companions)) await out.write(`${folder}/${name}`, bytes);
  if (!hasWeights) return;
  // Only experts are packed: the other parts are small next to them, and the router's choices stay what they were.
  const format = folder.startsWith('experts/') ? weights : floatFormat(weights);
  const tensors: Record<string, HostTensor> = {};
  const broken: string[] = [];
  for await (const [name, tensor] of part.tensors()) {
    signal?.throwIfAborted();
    try {
      if (!isFiniteData(tensor.data)) broken.push(name);
      else if (format) Object.assign(tensors, Object.fromEntries(writtenTensors(name, tensor, format)));
      else tensors[name] = tensor;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      broken.push(name); // too large for the format
    }
  }
  if (broken.length > 0) {
    const beyond = format && format !== 'f32' ? ', or numbers beyond f16,' : '';
    throw new CheckpointError(
      'import',
      `${folder}: NaN or infinity${beyond} in ${shortList(broken)}. Get the file again, or write f32.`,
    );
  }
  await out.write(`${folder}/model.safetensors`, safetensorsParts(tensors));
}
