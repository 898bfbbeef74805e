/** A server on a socket of Node. */
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { ValueError } from '@paris/tensor';
import { mostMs } from '../http/most-ms.js';
import type { ImageServer } from '../server.js';

/** Where to listen. */
export interface ListenOptions {
  /** Default 127.0.0.1: this machine only. */
  readonly host?: string;
  /** Default 8080; 0 takes a free one. */
  readonly port?: number;
  /** For a request's headers and body to arrive. Default 30 seconds. */
  readonly requestMs?: number;
}

/** A socket that is open. */
export interface Listening {
  readonly url: string;
  /** Ends with the server: no new requests, so long for those that are there, then the sockets are closed. */
  close(graceMs?: number): Promise<void>;
}

/** What to change: names that nobody knows and addresses of other machines are refused on every port. */
function wrongPart({ code }: NodeJS.ErrnoException): string {
  return ['EADDRINUSE', 'EACCES'].includes(code ?? '') ? 'port' : 'host';
}

/** @throws ValueError if the address is none, taken or may not be used, and for a time that is none */
export async function listen(server: ImageServer, options: ListenOptions = {}): Promise<Listening> {
  const { host = '127.0.0.1', port = 8080, requestMs = 30_000 } = options;
  if (!(Number.isInteger(port) && port >= 0 && port < 65_536))
    throw new ValueError('serve', `port is ${port}. Give a whole number from 0 to 65535.`);
  if (!(requestMs >= 1)) throw new ValueError('serve', `requestMs is ${requestMs}. Give milliseconds from 1 on.`);
  const requestTimeout = Math.min(Math.ceil(requestMs), mostMs);
  const headersTimeout = Math.min(requestTimeout, 10_000);
  const socket = createAdaptorServer({
    fetch: (request) => server.fetch(request),
    // Node looks for late requests every 30 seconds by default.
    serverOptions: { requestTimeout, headersTimeout, connectionsCheckingInterval: headersTimeout / 5 },
  }) as Server;
  socket.maxHeadersCount = 100;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new ValueError(
          'serve',
          `${host}:${port} cannot be listened on (${cause.code}). Give another --${wrongPart(cause)}.`,
          {
            cause,
          },
        ),
      );
    });
    socket.listen(port, host, resolve);
  });
  const address = socket.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close(graceMs = 10_000) {
      const closed = new Promise<void>((resolve) => socket.close(() => resolve()));
      socket.closeIdleConnections();
      await server.close(graceMs);
      const forced = setTimeout(() => socket.closeAllConnections(), 1000);
      socket.closeIdleConnections();
      await closed;
      clearTimeout(forced);
    },
  };
}
