// The clients of the load test, in a process of their own, so that the server's memory is the server's: forked by load.js with an
// address, a number of clients and seconds. Sends what they heard.
import { setTimeout as wait } from 'node:timers/promises';

const STEPS = 2;
const [url = '', clients, seconds] = process.argv.slice(2);
const heard = { accepted: 0, answered: 0, full: 0, refused: 0, left: 0, wrong: /** @type {string[]} */ ([]) };
/** @type {number[]} */
const times = [];
const end = performance.now() + 1000 * Number(seconds);
await Promise.all(Array.from({ length: Number(clients) }, (_, i) => client(i)));
process.send?.({ heard, times });
process.disconnect();

/** One of five kinds of client. @param {number} i */
async function client(i) {
  for (let turn = 0; performance.now() < end; turn++) {
    const kind = [good, good, bad, leaving, streaming, slow, good][(i + turn) % 7] ?? good;
    await kind(i).catch((/** @type {Error} */ error) => heard.wrong.push(String(error)));
    await wait(50 + ((i * 37) % 200));
  }
}

/** @param {object} fields @param {RequestInit} [more] */
function post(fields, more = {}) {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/v1/images/generations`, { method: 'POST', headers, body: JSON.stringify(fields), ...more });
}

/** @param {number} i */
async function good(i) {
  const began = performance.now();
  const response = await post({ prompt: 'cat', steps: STEPS, seed: i });
  const body = /** @type {any} */ (await response.json());
  if (response.status === 429) heard.full += 1;
  else if (response.status === 200 && body.data.length === 1) {
    heard.accepted += 1;
    heard.answered += 1;
    times.push(performance.now() - began);
  } else heard.wrong.push(`${response.status} ${JSON.stringify(body).slice(0, 100)}`);
}

/** @param {number} i */
async function bad(i) {
  const fields = [{ prompt: 'cat', steps: 0 }, { prompt: 7 }, [], { prompt: 'cat', size: '9x9' }][i % 4] ?? {};
  const response = await post(fields);
  await response.text();
  if (response.status === 400) heard.refused += 1;
  else heard.wrong.push(`bad: ${response.status}`);
}

/** Hangs up while it waits or is drawn. @param {number} i */
async function leaving(i) {
  const control = new AbortController();
  const asked = post({ prompt: 'dog', steps: 50, seed: i }, { signal: control.signal }).then((response) =>
    response.text(),
  );
  setTimeout(() => control.abort(), 20 + (i % 100));
  await asked.catch(() => undefined);
  heard.left += 1;
}

/** @param {number} i */
async function streaming(i) {
  const response = await post({ prompt: 'cat', steps: 4, seed: i, stream: true, partial_images: 2 });
  const text = await response.text();
  if (response.status === 429) heard.full += 1;
  else {
    heard.accepted += 1;
    if (text.includes('image_generation.completed')) heard.answered += 1;
    else heard.wrong.push(`stream: ${text.slice(0, 100)}`);
  }
}

/** A body that does not arrive. */
async function slow() {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) });
  const response = await post({}, /** @type {RequestInit} */ ({ body, duplex: 'half' })).catch(() => undefined);
  await response?.text().catch(() => undefined);
  if (response === undefined || response.status === 408) heard.refused += 1;
  else heard.wrong.push(`slow: ${response.status}`);
}
