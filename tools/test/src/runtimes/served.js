// A model behind HTTP under whatever runs this: Node, Deno or Bun. Prints what it answered, the picture as a hash.
import { loadPipeline } from '@paris/sampler';
import { createServer } from '@paris/serve';

const model = new URL('../../../../examples/quickstart/model/', import.meta.url).pathname;
const server = createServer({ name: 'toy', open: () => loadPipeline(model), apiKey: 'secret' });
const { url, close } = await open();

const ask = (/** @type {object} */ fields, /** @type {RequestInit} */ more = {}) =>
  fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer secret' },
    body: JSON.stringify({ prompt: 'cat', steps: 2, seed: 7, ...fields }),
    ...more,
  });

const drawn = await ask({});
const [{ b64_json }] = (await drawn.json()).data;
const png = Uint8Array.from(atob(b64_json), (character) => character.charCodeAt(0));
const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', png));
const form = new FormData();
form.set('prompt', 'cat');
form.set('steps', '2');
form.set('image', new Blob([png]), 'cat.png');
const headers = { authorization: 'Bearer secret' };
const edited = await fetch(`${url}/v1/images/edits`, { method: 'POST', headers, body: form });
const events = await (await ask({ steps: 3, stream: true, partial_images: 2 })).text();
const leave = new AbortController();
const left = ask({ steps: 200 }, { signal: leave.signal }).then(
  () => 'answered',
  () => 'left',
);
await until(() => server.state.drawing === 1);
leave.abort();
await until(() => server.state.drawing === 0);
console.log(
  JSON.stringify({
    picture: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    page: /paris-server" content="toy"/.test(await (await fetch(url)).text()),
    statuses: [drawn.status, edited.status, (await ask({ steps: 0 })).status, (await fetch(`${url}/v1/models`)).status],
    events: [...events.matchAll(/^event: (.*)$/gm)].map(([, type]) => type),
    left: await left,
    steps: server.state.steps < 50,
  }),
);
await close();

/** @returns {Promise<{ url: string, close: () => Promise<unknown> }>} */
async function open() {
  const { Deno, Bun } = /** @type {any} */ (globalThis);
  if (Deno) {
    const socket = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen: () => undefined }, server.fetch);
    return { url: `http://127.0.0.1:${socket.addr.port}`, close: () => server.close().then(() => socket.shutdown()) };
  }
  if (Bun) {
    const socket = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 60, fetch: server.fetch });
    return { url: socket.url.href.slice(0, -1), close: () => server.close().then(() => socket.stop()) };
  }
  const { listen } = await import('@paris/serve/node');
  return listen(server, { port: 0 });
}

async function until(/** @type {() => boolean} */ holds) {
  for (let i = 0; !holds(); i++) {
    if (i === 3000) throw new Error('it did not happen within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
