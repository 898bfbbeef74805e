// Addresses and the secrets in them: what goes to the server, and what a message may show.
import { StoreError } from '../errors.js';

/** An address without its secrets, for messages: no user, no password, no query, no fragment. Other text stays as it is. */
export function withoutSecrets(address: string | URL): string {
  const text = String(address);
  // Not by URL: what does not parse must not show its password either.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text.replace(/^([^:]+:\/\/)[^/?#]*@/, '$1').replace(/[?#].*$/s, '')
    : text;
}

/** A folder's URL, and the user and password that were in it. */
export interface Address {
  /** Ends with `/`; its query is kept. */
  readonly url: URL;
  /** Basic authentication (RFC 7617); `fetch` refuses a URL that holds it. */
  readonly authorization: string | undefined;
}

/** @throws StoreError if it is not an http(s) URL */
export function parseAddress(address: string | URL): Address {
  let url: URL;
  try {
    url = new URL(address, (globalThis as { location?: Location }).location?.href);
  } catch {
    const shown = withoutSecrets(address); // and no cause: it holds the whole text
    throw new StoreError('httpStore', `"${shown}" is no URL. Give an absolute one: https://host/folder/`);
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  if (username === '' && password === '') return { url, authorization: undefined };
  const bytes = new TextEncoder().encode(`${decode(username)}:${decode(password)}`);
  return { url, authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

/** `%zz` is not wrong in a URL: it stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
