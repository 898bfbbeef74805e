// The report of a run that is being trained, live on this machine: each load of the page reads the files as they are.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FileStore } from '@paris/files';
import { sentence } from '../failure.js';
import { reportPage } from './report.js';

/** Seconds between two loads. */
const refreshSeconds = 5;

/** A page that is served. */
export interface Watched {
  readonly url: string;
  close(): void;
}

/** Serves the report of a folder of runs, or of one, on a free port of the loopback address. */
export async function watchReport(store: FileStore, title: string): Promise<Watched> {
  const server = createServer((request, response) => {
    // A page elsewhere whose name leads to this machine is not shown anything.
    const host = request.headers.host?.replace(/:\d+$/, '');
    if (host !== '127.0.0.1' && host !== 'localhost')
      return answer(response, 403, 'This page is for this machine only.');
    if (request.url !== '/' || request.method !== 'GET') return answer(response, 404, 'The report is at /.');
    reportPage(store, title, refreshSeconds).then(
      (page) => answer(response, 200, page, 'text/html; charset=utf-8'),
      (error) => answer(response, 503, sentence(error)),
    );
  });
  server.unref(); // it does not keep a training's process alive
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
