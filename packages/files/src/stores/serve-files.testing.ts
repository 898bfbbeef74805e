// A small file server for tests, with the habits that servers have: with and without ranges, entity tags of both kinds.
import type { RequestListener } from 'node:http';

/** How the server answers. */
export interface ServerBehaviour {
  readonly ranges: boolean;
  readonly tag: string | undefined;
}

/** Serves `files` (by decoded path, with a leading slash); `log` gets a line for each request. */
export function serveFiles(
  files: ReadonlyMap<string, Uint8Array>,
  behaviour: () => ServerBehaviour,
  log: string[] = [],
): RequestListener {
  return (request, response) => {
    const { ranges, tag } = behaviour();
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const content = files.get(path);
    log.push(`${request.method} ${path} ${request.headers.range ?? 'all'}`);
    if (tag) response.setHeader('ETag', tag);
    if (!content) {
      response.writeHead(404).end('nothing here');
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    if (!ranges || !range || (condition !== undefined && condition !== tag)) {
      response.writeHead(200, { 'Content-Length': content.length }).end(content);
      return;
    }
    const [start, last] = [Number(range[1]), Math.min(Number(range[2]), content.length - 1)];
    if (start > last) {
      response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
      return;
    }
    const headers = { 'Content-Range': `bytes ${start}-${last}/${content.length}`, 'Content-Length': last - start + 1 };
    response.writeHead(206, headers).end(content.subarray(start, last + 1));
  };
}
