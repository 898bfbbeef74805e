// A bucket, or a part of one, as a store that is read: requests are signed (AWS Signature Version 4, by aws4fetch), files come
// over the range store of http. Keys go into signatures only; no message shows them.
import { AwsV4Signer } from 'aws4fetch';
import { refusedBy, StoreError, UnavailableError } from '../errors.js';
import { withoutSecrets } from '../http/address.js';
import { cancelBody, readBody } from '../http/body.js';
import { type Patiently, patiently, patientSource, type RetryOptions } from '../http/patient.js';
import { httpStore } from '../http/store.js';
import { byCodeUnit } from '../order.js';
import { checkFolder, type FileSource, isPath } from '../stores/store.js';
import type { S3Credentials } from './environment.js';
import { pageOf } from './listing.js';

/** Where a bucket is, and who reads it. */
export interface S3Options {
  /** The server of another provider, or of your own: `https://host`. Its buckets are folders. Default: AWS. */
  readonly endpoint?: string | undefined;
  /** Default `us-east-1`. */
  readonly region?: string | undefined;
  /** Without them, requests are not signed: for public buckets. */
  readonly credentials?: S3Credentials | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How often a busy server, or one whose connection broke, is asked again. Default: five times in all, within half a minute. */
  readonly retries?: Omit<RetryOptions, 'signal'> | undefined;
  /** The platform's `fetch` unless given. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The files of a bucket below a prefix. */
export interface S3Store extends FileSource {
  /**
   * Paths below a folder of the store, in order. Objects whose key is no path (with empty names, `..`) are left out, and so
   * are those that mark folders.
   */
  list(folder?: string): Promise<string[]>;
}

/**
 * The files at `s3://bucket` or `s3://bucket/prefix`, read in ranges.
 * @throws StoreError for an address or an endpoint that is none; reading: as `httpStore`
 */
export function s3Store(address: string, options: S3Options = {}): S3Store {
  const { bucket, prefix } = parseS3(address);
  const root = bucketUrl(bucket, options);
  const { signal } = options;
  const fetch = signing(root.origin, options);
  const retries = { ...options.retries, signal };
  const files = patientSource(httpStore(new URL(escaped(prefix), root), { fetch, signal }), retries);
  const listing = { root, prefix, fetch, signal, bucket, ask: patiently(retries) };
  return { ...files, list: async (folder = '') => list(listing, checkFolder(folder)) };
}

interface S3Address {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
}

function parseS3(address: string): S3Address {
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address) ?? [];
  const prefix = rest.replace(/\/$/, '');
  if (bucket !== undefined && (prefix === '' || isPath(prefix))) return { bucket, prefix: prefix && `${prefix}/` };
  throw new StoreError('s3', `"${withoutSecrets(address)}" is no address of S3. Write it as s3://bucket/folder.`);
}

/** The address of a bucket. AWS's have a host each, but for names with dots, which their certificates do not cover. */
function bucketUrl(bucket: string, { endpoint, region = defaultRegion }: S3Options): URL {
  if (!/^[a-z0-9-]+$/.test(region)) throw new StoreError('s3', `"${region}" is no region. Write it as eu-central-1.`);
  if (endpoint === undefined) {
    const domain = `s3.${region}.amazonaws.com`;
    return new URL(bucket.includes('.') ? `https://${domain}/${bucket}/` : `https://${bucket}.${domain}/`);
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '') {
    const shown = withoutSecrets(endpoint);
    throw new StoreError('s3', `"${shown}" is no endpoint. Write it as https://host, without keys and queries.`);
  }
  url.pathname = `${url.pathname.replace(/\/*$/, '')}/${bucket}/`;
  return url;
}

const defaultRegion = 'us-east-1';

/** `fetch` that signs what goes to the bucket's own origin, and nothing that goes elsewhere after a redirect. */
function signing(origin: string, { credentials, region = defaultRegion, ...options }: S3Options): typeof fetch {
  const send = options.fetch ?? globalThis.fetch;
  if (!credentials) return send;
  checkKeys(credentials);
  const { sessionToken, ...pair } = credentials;
  const keys = { ...pair, ...(sessionToken !== undefined && { sessionToken }) };
  const cache = new Map<string, ArrayBuffer>(); // of the keys that are derived for a day
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== origin) return send(url, init);
    const signer = new AwsV4Signer({
      ...keys,
      url: url.href,
      headers: init?.headers ?? {},
      service: 's3',
      region,
      cache,
    });
    return send(url, { ...init, headers: (await signer.sign()).headers });
  };
}

/** @throws StoreError that says which one, and shows none, for keys that no request can carry */
function checkKeys(credentials: S3Credentials): void {
  const bad = Object.entries(credentials).find(([, value]) => value !== undefined && !/^[\x21-\x7e]+$/.test(value));
  if (bad) throw new StoreError('s3', `the ${bad[0]} is empty or has spaces or line breaks in it. Copy it again.`);
}

interface Listing extends S3Address {
  readonly root: URL;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal | undefined;
  readonly ask: Patiently;
}

/** ListObjectsV2, a page of at most 1,000 keys after the other. */
async function list({ root, prefix, fetch, signal, bucket, ask }: Listing, folder: string): Promise<string[]> {
  const from = prefix + (folder && `${folder}/`);
  const paths: string[] = [];
  let token: string | undefined;
  do {
    const url = new URL(root);
    const query = { 'list-type': '2', 'encoding-type': 'url', prefix: from };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    if (token !== undefined) url.searchParams.set('continuation-token', token);
    const page = pageOf(await ask(() => text(url, fetch, signal, bucket)), bucket);
    paths.push(...page.keys.map((key) => key.slice(prefix.length)).filter(isPath));
    if (token !== undefined && page.next === token) {
      throw new StoreError('s3', `the server's list of the bucket "${bucket}" does not end. Is this a server of S3?`);
    }
    token = page.next;
  } while (token !== undefined);
  return paths.sort(byCodeUnit);
}

/** More than a page of 1,000 of the longest keys, three times as long when they are encoded. */
const mostPageBytes = 16 * 2 ** 20;

async function text(
  url: URL,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal | undefined,
  bucket: string,
): Promise<string> {
  let response: Response;
  try {
    // No redirect is followed: the next host has no business with the list.
    response = await fetch(url, { redirect: 'manual', ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof StoreError) throw cause;
    throw new UnavailableError('s3', `the bucket "${bucket}" cannot be reached. Is the server up?`, { cause });
  }
  if (response.status === 200) {
    return new TextDecoder().decode(await readBody(response, { path: bucket, maxBytes: mostPageBytes, signal }));
  }
  await cancelBody(response);
  const what = `the server answered ${response.status} to a list of the bucket "${bucket}"`;
  throw refusedBy(response.status, `${what}. Check its name, the region and the keys.`, response.headers);
}

/** A prefix as a path of a URL. */
function escaped(prefix: string): string {
  return prefix.split('/').map(encodeURIComponent).join('/');
}
