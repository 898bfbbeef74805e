// What the server answers: the page, the jobs, and a place for results.
import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { jobNames, pageFiles } from './files.js';
import { headers } from './headers.js';
import { Refusal, resultsFolder } from './results.js';

/**
 * @typedef {object} Options
 * @property {string} page the folder that `npm run build` wrote
 * @property {string} jobs a folder of jobs, NAME.paris, to be had at /jobs/NAME.paris
 * @property {string} results where results are kept
 * @property {import('@paris/trainer').TrustList} [trust] whose results are taken. Default: those of every key
 * @property {number} [mostBytes] of one result. Default 256 MiB
 * @property {number} [mostResults] that are kept. Default 1000
 */

/** @param {Options} options @returns {import('node:http').RequestListener} */
export function volunteerHandler({ page, jobs, results, trust, mostBytes = 2 ** 28, mostResults = 1000 }) {
  const files = pageFiles(page);
  const { take } = resultsFolder({ jobs, results, trust, mostResults });
  let isTaking = false;

  return async (request, response) => {
    try {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const file = files.get(pathname);
      const [, job] = /^\/jobs\/([^/]+)$/.exec(pathname) ?? [];
      if (isRead && file) return send(response, 200, file.body, file.type, pathname === '/');
      if (isRead && job && jobNames(jobs).includes(job)) return sendFile(response, join(jobs, job), request.method);
      if (pathname !== '/results') throw new Refusal(404, 'There is nothing of this name.');
      if (request.method !== 'POST') throw new Refusal(405, 'Results are sent with POST.');
      assertOwnPage(request);
      // One at a time: a result is held in memory until it is checked.
      if (isTaking) throw new Refusal(503, 'Another result is being taken just now. Try again in a minute.');
      isTaking = true;
      try {
        send(response, 201, await take(await bodyOf(request, mostBytes)), 'text/plain; charset=utf-8');
      } finally {
        isTaking = false;
      }
    } catch (error) {
      const known = error instanceof Refusal;
      if (!known) console.error(error);
      if (response.headersSent) return void response.destroy();
      const [status, message] = known ? [error.status, error.message] : [500, 'The server failed. Try again later.'];
      response.setHeader('connection', 'close'); // the rest of a body that is refused is not read
      send(response, status, message, 'text/plain; charset=utf-8');
    }
  };
}

/** Other sites' pages may not hand in through a visitor's browser. @param {import('node:http').IncomingMessage} request */
function assertOwnPage({ headers: { origin, host } }) {
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new Refusal(403, 'Results are taken from the page of this server only.');
}

/** @param {import('node:http').IncomingMessage} request @param {number} most @returns {Promise<Uint8Array>} */
async function bodyOf(request, most) {
  const tooLarge = () => new Refusal(413, `A result may have ${most} bytes here. Send it in another way.`);
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge();
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > most) throw tooLarge();
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * @param {import('node:http').ServerResponse} response @param {number} status @param {Buffer | string} body @param {string} type
 * @param {boolean} [isNew] asks for it again each time
 */
function send(response, status, body, type, isNew = true) {
  // The names of all files but the page's own change with their contents.
  const cached = isNew ? 'no-cache' : 'public, max-age=31536000, immutable';
  response.writeHead(status, { ...headers, 'content-type': type, 'cache-control': cached });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/** @param {import('node:http').ServerResponse} response @param {string} file @param {string} method */
function sendFile(response, file, method) {
  const { size } = statSync(file);
  const own = { 'content-type': 'application/octet-stream', 'content-length': size, 'cache-control': 'no-cache' };
  response.writeHead(200, { ...headers, ...own });
  if (method === 'HEAD') return void response.end();
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
}
