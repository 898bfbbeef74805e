// One request for a file below an address: who gets the headers, and what an error may say.
import { StoreError, UnavailableError } from '../errors.js';
import { checkPath } from '../stores/store.js';
import { parseAddress, withoutSecrets } from './address.js';
import { cancelBody } from './body.js';

/** What a {@link Requester} asks with. */
export interface RequestOptions {
  /** Sent with each request to the address's own origin, and to no other: for a token, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends requests under way, which then reject with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The platform's `fetch` unless given. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The server's answer to a request for a file. */
export type Requester = (
  path: string,
  /** Headers of this request, which redirects keep. */
  extra?: Readonly<Record<string, string>>,
  more?: {
    /** Ends this request alone. */
    readonly signal?: AbortSignal;
    /** Called with the headers of each redirect that is followed. */
    readonly onRedirect?: (headers: Headers) => void;
  },
) => Promise<Response>;

const maxRedirects = 10;

/**
 * Asks for files below a URL. Redirects are followed; the caller's headers and the URL's user and password stop at the
 * origin that they were given for. No error and no cause shows them, or the URL's query.
 * @throws StoreError for what is no URL, and for a header that cannot be sent; from the requester, UnavailableError if
 *   nobody answers, StoreError for redirects without end or to another scheme than http(s), and in a page for redirects while there are headers (it
 *   cannot see where they lead); the signal's reason
 */
export function requesterOf(address: string | URL, options: RequestOptions = {}): Requester {
  const { signal, fetch = globalThis.fetch } = options;
  const { url, authorization } = parseAddress(address);
  const own = { ...(authorization && { authorization }), ...checkHeaders(options.headers ?? {}) };
  const shown = withoutSecrets(url);

  const ask = async (target: URL, init: RequestInit, path: string) => {
    try {
      return await fetch(target, init);
    } catch (cause) {
      signal?.throwIfAborted();
      const what = `"${path}" could not be fetched from ${shown}. Is the server up?`;
      const secrets = [...Object.values(own), url.search, target.search].filter((text) => text !== '');
      throw new UnavailableError('store', what, { cause: withoutAll(cause, secrets) });
    }
  };
  return async (path, extra = {}, more = {}) => {
    const ends = [signal, more.signal].filter((each) => each !== undefined);
    let target = new URL(url);
    target.pathname += checkPath(path).split('/').map(encodeURIComponent).join('/');
    let headers: Record<string, string> = { ...own, ...extra };
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const init = {
        ...{ headers, redirect: 'manual' as const },
        ...(ends.length > 0 && { signal: ends.length > 1 ? AbortSignal.any(ends) : ends[0]! }),
      };
      const response = await ask(target, init, path);
      if (response.type === 'opaqueredirect') {
        if (Object.keys(own).length > 0) throw unseenRedirect(path);
        return ask(target, { ...init, redirect: 'follow' }, path);
      }
      const location = isRedirect(response.status) ? response.headers.get('location') : null;
      if (location === null) return response;
      await cancelBody(response);
      more.onRedirect?.(response.headers);
      target = redirected(path, location, target);
      if (target.origin !== url.origin) headers = { ...extra }; // and not again if it leads back
    }
    throw new StoreError('store', `"${path}" is redirected more than ${maxRedirects} times. Check the address.`);
  };
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function redirected(path: string, location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target && /^https?:$/.test(target.protocol) && !(from.protocol === 'https:' && target.protocol === 'http:')) {
    target.username = '';
    target.password = '';
    return target;
  }
  const where = target ? `from ${from.protocol} to ${target.protocol}` : 'to what is no URL';
  throw new StoreError('store', `the server redirects "${path}" ${where}, which is not followed. Check the address.`);
}

/** A page cannot read where a redirect leads, and its `fetch` would take all headers but `authorization` along. */
function unseenRedirect(path: string): StoreError {
  const why = 'a page cannot see where, and headers must not go there';
  return new StoreError('store', `the server redirects "${path}": ${why}. Give the address that it redirects to.`);
}

/** With names in lower case, as ours are. @throws StoreError that names a header which cannot be sent, not its value */
function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    try {
      checked.set(name, value);
    } catch {
      throw new StoreError('httpStore', `the header ${JSON.stringify(name)} cannot be sent. Check its value.`);
    }
  }
  return Object.fromEntries(checked);
}

/** An error and its causes, in whose texts the secrets are replaced: some runtimes put the whole URL into them. */
function withoutAll(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof Error)) return undefined;
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), error.message);
  const cause = error.cause === undefined ? {} : { cause: withoutAll(error.cause, secrets) };
  const { code } = error as { code?: unknown };
  return Object.assign(new Error(message, cause), { name: error.name, ...(code !== undefined && { code }) });
}
