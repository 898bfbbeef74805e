// Where a model in somebody else's form is: a folder, a URL, `hf:owner/name`, or one file of weights.
import { type FileSource, withoutSecrets } from '@paris/files';
import { type TimeLeft, timeLeft } from '@paris/files/download';
import { ValueError } from '@paris/tensor';
import { openFolder } from '#folder';
import { type DownloadOptions, download } from '../pipeline/download.js';
import { hubName } from './hub-name.js';
import type { ForeignOptions } from './open.js';

/** What a model in somebody else's form does not say of itself. */
export interface ForeignSource {
  /** Which dictionary of a training's checkpoint has the weights, of a folder those of its experts. Default: an EMA where there is one. */
  readonly key?: string | undefined;
  /** The folder of an autoencoder (or with `vae/` in it), for weights that come without one. */
  readonly codec?: string | URL | FileSource | undefined;
  /** Heads of the attention, where the width does not tell. */
  readonly heads?: number | undefined;
  /** Height and width of the latents, where positions are not stored. */
  readonly inputSize?: number | undefined;
}

/** Files, and the one of them that a name means. */
export interface NamedSource {
  readonly store: FileSource;
  readonly file?: string | undefined;
  /** Where they are downloaded. */
  readonly timeLeft?: TimeLeft;
}

/**
 * The files of a source.
 * @throws ValueError for a scheme that is not read
 */
export function openNamed(address: string, options: DownloadOptions = {}): NamedSource {
  const [, scheme = ''] = /^(?:([a-z][a-z0-9+.-]+):)?/i.exec(address) ?? [];
  if (scheme === 'hf') return hubSource(address, options);
  const [, parent, file, query = ''] = /^(.*?)([^\\/?#]+\.(?:pth?|bin|safetensors))(\?[^#]*)?$/i.exec(address) ?? [];
  const base = file === undefined ? address : parent || '.';
  const isPath = scheme === '' || scheme === 'file';
  const folder = isPath ? openFolder(base) : undefined;
  if (folder) return { store: folder, file };
  if (isPath || /^https?$/i.test(scheme)) return { store: download(base + query, options), file, timeLeft: timeLeft() };
  throw new ValueError(
    'loadPipeline',
    `${scheme}:// is not read. Give a folder, an http(s) URL, hf:owner/name or a FileStore.`,
  );
}

/** A source and its hints, opened. */
export async function openForeignSource(
  source: string | URL | FileSource,
  { codec, ...hints }: ForeignSource = {},
  options: DownloadOptions = {},
): Promise<{ store: FileSource; where: string; hints: ForeignOptions }> {
  const isStore = typeof source === 'object' && !(source instanceof URL);
  const { store, file } = isStore ? { store: source, file: undefined } : openNamed(String(source), options);
  const where = isStore ? 'the store' : withoutSecrets(source);
  return {
    store,
    where,
    hints: { ...hints, file, codec: codec === undefined ? undefined : codecFolder(codec, options) },
  };
}

/** It may be on another server, which is to get no headers that are meant for the source's. */
function codecFolder(codec: string | URL | FileSource, { headers: _, ...options }: DownloadOptions): FileSource {
  return typeof codec === 'object' && !(codec instanceof URL) ? codec : openNamed(String(codec), options).store;
}

/**
 * The files of a `HubName` on the Hugging Face Hub, or on the server that HF_ENDPOINT names. HF_TOKEN is
 * sent to that server, and nowhere else.
 */
function hubSource(name: string, options: DownloadOptions): NamedSource {
  const named = hubName(name);
  if (!named) throw new ValueError('loadPipeline', `"${name}" is no model of a hub. Write hf:owner/name.`);
  const { repository, revision = 'main', file } = named;
  const { HF_ENDPOINT, HF_TOKEN } =
    (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};
  const hub = (HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  const url = `${hub}/${repository}/resolve/${encodeURIComponent(revision)}/`;
  const headers = { ...(HF_TOKEN && { authorization: `Bearer ${HF_TOKEN}` }), ...options.headers };
  return { store: download(url, { ...options, headers }), file, timeLeft: timeLeft() };
}
