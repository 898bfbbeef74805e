// The page at `/`: that of examples/browser, in front of this server.
import { html } from '@paris/files';
import { ApiError } from '../http/errors.js';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/**
 * What the page may do: run its own scripts and the workers of `@paris/cpu`, show pictures that it made, and speak to this server or to
 * one that its visitor names. No page may put it into a frame. Isolated from other origins, it may compute on all cores.
 */
const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self'; img-src 'self' blob: data:; connect-src *; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'referrer-policy': 'no-referrer',
};

/** One of the page's files. @throws ApiError 404 if it has none of this name, 503 in a source tree that was not built */
export async function pageFile(path: string, model: string): Promise<Response> {
  const { files } = await import('#page');
  if (Object.keys(files).length === 0)
    throw new ApiError(503, 'The page was not built. Run npm run build in the repository.', { code: 'page_missing' });
  if (!Object.hasOwn(files, path)) throw new ApiError(404, 'The page has no such file.', { code: 'not_found' });
  const isIndex = path === 'index.html';
  const body = isIndex
    ? files[path]!.replace(ownModel, () => html`<meta name="paris-server" content="${model}">`.markup)
    : files[path]!;
  return new Response(body, {
    headers: {
      ...headers,
      'content-type': types[path.split('.').at(-1)!] ?? 'application/octet-stream',
      // The names of all other files change with their contents.
      'cache-control': isIndex ? 'no-cache' : 'public, max-age=31536000, immutable',
    },
  });
}

const ownModel = /<meta name="paris-model"[^>]*>/;
