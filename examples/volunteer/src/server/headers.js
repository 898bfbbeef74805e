// What every answer of the server says to the browser.

/**
 * The page may run its own scripts and the workers of `@paris/cpu`, show pictures that it made, and fetch jobs and data over https. No
 * page may put it into a frame. Isolated from other origins, it computes on all cores.
 * @type {Readonly<Record<string, string>>}
 */
export const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self' blob: 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self' https:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
