// Gives jobs to volunteers and takes their results:
//
//   npm run build
//   node serve.js --jobs jobs/ --results results/ [--port 8080] [--host 127.0.0.1] [--trust trusted.txt]
//       [--most-bytes 268435456]
//
// A volunteer opens http://localhost:8080/?job=jobs/NAME.paris. Other machines need https in front of it: browsers keep files and make
// keys in secure contexts only.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseTrustList } from '@paris/trainer';
import { jobNames } from './src/server/files.js';
import { volunteerHandler } from './src/server/handler.js';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: 'jobs' },
    results: { type: 'string', default: 'results' },
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '127.0.0.1' },
    trust: { type: 'string' },
    'most-bytes': { type: 'string' },
  },
});
const { jobs, results, host, trust, 'most-bytes': mostBytes } = values;
const port = wholeNumber('--port', values.port, 0, 65535);
const limit =
  mostBytes === undefined ? {} : { mostBytes: wholeNumber('--most-bytes', mostBytes, 1, Number.MAX_SAFE_INTEGER) };
const page = fileURLToPath(new URL('dist', import.meta.url));
if (!existsSync(page)) fail('The page was not built. Run npm run build.');
if (!existsSync(jobs))
  fail(`There is no folder ${jobs}. Make one, and put jobs into it: paris bundle data/ --cluster 3 …`);
const list = trust === undefined ? {} : { trust: parseTrustList(readFileSync(trust, 'utf8')) };

const server = createServer(
  { requestTimeout: 600_000, headersTimeout: 10_000 },
  volunteerHandler({ page, jobs, results, ...limit, ...list }),
);
server.on('error', ({ message }) => fail(message));
server.listen(port, host, () => {
  for (const name of jobNames(jobs)) console.log(`http://${host}:${port}/?job=jobs/${name}`);
});

/** @param {string} option @param {string} text @param {number} least @param {number} most @returns {number} */
function wholeNumber(option, text, least, most) {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  return fail(`${option} ${text} is no whole number from ${least} to ${most}. Write digits only.`);
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}
