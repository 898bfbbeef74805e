// Servers of a test, which end with it.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** What starts a server on loopback and gives its address, and what ends all that were started. */
export function testServers(): { serve: (listener: RequestListener) => Promise<string>; stop: () => Promise<void> } {
  const servers: Server[] = [];
  const stop = async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  afterEach(stop);
  const serve = async (listener: RequestListener) => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return { serve, stop };
}
