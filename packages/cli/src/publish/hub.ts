// A commit to a model repository of the Hugging Face Hub, or of a server that speaks its API: HF_ENDPOINT names it, HF_TOKEN is sent
// there and nowhere else. The protocol (https://huggingface.co/docs/hub/api, large files by LFS or Xet) is @huggingface/hub's.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, StoreError, UnavailableError, ValueError, withoutSecrets } from '@paris/files';
import { hubName } from '@paris/sampler/options';
import type { PublishedFile } from './contents.js';

/** A repository and its branch. */
export interface HubTarget {
  /** `owner/name` */
  readonly repository: string;
  readonly branch: string;
}

export interface Publication {
  readonly target: HubTarget;
  /** The model's folder, for files without content. */
  readonly folder: string;
  readonly files: readonly PublishedFile[];
  readonly message: string;
  /** A repository that is made for it is private. */
  readonly isPrivate: boolean;
  readonly onFile?: (path: string, share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * `hf:owner/name` or `hf:owner/name@branch`, as models are loaded: after the name of a branch, a slash begins the path of a file.
 * @throws ValueError for anything else
 */
export function parseTarget(text: string): HubTarget {
  const named = hubName(text);
  if (named && named.file === undefined) return { repository: named.repository, branch: named.revision ?? 'main' };
  const what = /^hf:[\w.-]+\/[\w.-]+@[\w./-]+$/.test(text)
    ? 'is a branch with a slash, of which no model can be loaded. Write the name of a branch without one'
    : 'is no repository of a hub. Write hf:owner/name, or hf:owner/name@branch';
  throw new ValueError('publish', `"${text}" ${what}.`);
}

/** Where models are published. @throws ConfigError if HF_ENDPOINT is no address, or one with a password, which is shown nowhere */
export function hubAddress(): string {
  const address = process.env.HF_ENDPOINT || 'https://huggingface.co';
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') {
    return address.replace(/\/+$/, '');
  }
  const what = `HF_ENDPOINT, "${withoutSecrets(address)}", ${url?.username || url?.password ? 'holds a user or a password' : 'is no http(s) address'}`;
  throw new ConfigError('publish', `${what}. Give one such as https://huggingface.co.`);
}

/** @throws ConfigError for what is no token; it does not show it */
function tokenOf(text = ''): string {
  const token = text.trim();
  if (/^hf_[\w-]+$/.test(token)) return token;
  const what =
    token === '' ? 'there is no token' : 'HF_TOKEN is no token, which begins with hf_ and has letters and digits';
  throw new ConfigError('publish', `${what}. Set HF_TOKEN to one that may write to the repository.`);
}

/**
 * Makes the repository if there is none, sends the files, and commits them: all of them or none.
 * @returns the commit's address
 * @throws ConfigError without a token or for one that is none; StoreError if the hub refuses; UnavailableError if it cannot be reached or is too busy
 */
export async function publishToHub(publication: Publication): Promise<string> {
  const { target, folder, files, message, isPrivate, onFile, signal } = publication;
  const accessToken = tokenOf(process.env.HF_TOKEN);
  const { commitIter, createRepo } = await import('@huggingface/hub');
  const hub = { accessToken, hubUrl: hubAddress(), repo: { type: 'model' as const, name: target.repository } };
  try {
    await createRepo({ ...hub, visibility: isPrivate ? 'private' : 'public' }).catch((error: unknown) => {
      if (statusOf(error) !== 409) throw error; // it is there already
    });
    const commit = commitIter({
      ...hub,
      title: message,
      branch: target.branch,
      operations: files.map(({ path, content }) => ({
        operation: 'addOrUpdate' as const,
        path,
        content: content ? new Blob([content]) : pathToFileURL(resolve(folder, path)),
      })),
      ...(signal && { abortSignal: signal }),
    });
    for (;;) {
      const step = await commit.next();
      if (step.done) return step.value?.commit.url ?? `${hubAddress()}/${target.repository}`;
      if (step.value.event === 'fileProgress' && step.value.state === 'uploading') {
        onFile?.(step.value.path, step.value.progress);
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw refusal(error, target);
  }
}

function refusal(cause: unknown, { repository, branch }: HubTarget): Error {
  const status = statusOf(cause);
  const at = `${hubAddress()} for ${repository}@${branch}`;
  if (status === undefined) {
    const why = cause instanceof Error ? reasonOf(cause) : String(cause);
    return new UnavailableError('publish', `${at} was not reached (${why}). Nothing was committed; try again.`, {
      cause,
    });
  }
  const said = `${at} answered ${status}`;
  if (status === 429 || status >= 500) {
    return new UnavailableError('publish', `${said}. Nothing was committed; try again later.`, { cause });
  }
  const fix =
    status === 401 || status === 403
      ? 'Set HF_TOKEN to one that may write there'
      : status === 404
        ? 'Check the name and the branch, which must be there'
        : 'See what it says with PARIS_DEBUG=1';
  return new StoreError('publish', `${said}. Nothing was committed. ${fix}.`, { cause });
}

/** The hub's own errors carry the status of its answer. */
function statusOf(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** fetch says only that it failed; why is in the cause. */
function reasonOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message ? cause.message : error.message;
}
