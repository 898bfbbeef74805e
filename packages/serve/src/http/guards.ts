// Who may speak to the server: known hosts, known origins, and those that have the key.

import { ValueError } from '@paris/tensor';
import type { ServeOptions } from '../options.js';
import { ApiError } from './errors.js';

/**
 * Refuses names and origins that no request has, which would keep out those that they are meant to let in.
 * @throws ValueError
 */
export function checkAllowed({ hosts = [], origins = [] }: Pick<ServeOptions, 'hosts' | 'origins'>): void {
  for (const host of hosts) {
    if (host !== '' && !/[:/\s]/.test(host)) continue;
    throw new ValueError(
      'createServer',
      `the host "${host}" is no name. Write it without port and scheme: example.com.`,
    );
  }
  for (const origin of origins) {
    if (isOrigin(origin)) continue;
    const what = `the origin "${origin}" is none that a browser sends`;
    throw new ValueError(
      'createServer',
      `${what}. Write scheme and host, and a port that is not usual: https://example.com.`,
    );
  }
}

/** As browsers write it: without a path, in lower case, without the usual port. */
function isOrigin(text: string): boolean {
  if (text === 'null') return true; // of pages in files
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s*]+$/.test(text)) return false;
  return !/^https?:/.test(text) || (URL.canParse(text) && new URL(text).origin === text);
}

/** No name server decides where an address leads to, so addresses are always allowed. */
const isAddress = /^[\d.]+$|^\[[\da-f:.]+\]$/;

/**
 * Host and Origin. A page of another host whose name was made to point here (DNS rebinding) has a `Host` that is not ours; a page
 * that posts here from elsewhere has an `Origin` that is not.
 * @throws ApiError 403
 */
export function checkSource(request: Request, { hosts = ['localhost'], origins = [] }: ServeOptions): void {
  const host = request.headers.get('host') ?? new URL(request.url).host;
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (!isAddress.test(name) && !hosts.some((known) => known === '*' || known.toLowerCase() === name)) {
    throw new ApiError(403, 'This server is not called by that name. Start it with --allow-host NAME.', {
      code: 'unknown_host',
    });
  }
  const origin = request.headers.get('origin');
  if (origin === null || origins.includes(origin)) return;
  if (origin === `http://${host}` || origin === `https://${host}`) return;
  throw new ApiError(403, 'Pages of this origin may not call it. Start it with --cors ORIGIN.', {
    code: 'unknown_origin',
  });
}

/** `Authorization: Bearer …`, compared by hashes in constant time. @throws ApiError 401 */
export async function checkKey(request: Request, apiKey: string | undefined): Promise<void> {
  if (apiKey === undefined) return;
  const [, given = ''] = /^Bearer (.*)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  const [a, b] = await Promise.all([digest(given), digest(apiKey)]);
  let differences = 0;
  for (let i = 0; i < a.length; i++) differences |= a[i]! ^ b[i]!;
  if (differences !== 0) throw new ApiError(401, 'The API key is missing or wrong.', { code: 'invalid_api_key' });
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}
