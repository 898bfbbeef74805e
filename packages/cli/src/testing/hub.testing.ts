// A hub on this machine: the part of the Hugging Face Hub's API that publishing and loading need. It keeps what was committed.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Repository {
  readonly visibility: string;
  /** Committed files by path. */
  readonly files: Map<string, Buffer>;
  readonly commits: string[];
}

interface LocalHub {
  readonly address: string;
  readonly repositories: Map<string, Repository>;
  /** Method and path of every request. */
  readonly asked: string[];
  /** Answers instead of the hub if it returns a status. */
  refuse: (method: string, path: string) => number | undefined;
  close(): Promise<void>;
}

/** @param partBytes - larger files are sent in parts of this size, as the hub has it from 5 GB on */
export async function localHub(token: string, partBytes = Number.POSITIVE_INFINITY): Promise<LocalHub> {
  const repositories = new Map<string, Repository>();
  const stored = new Map<string, Buffer>(); // of LFS, by SHA-256
  const parts = new Map<string, Map<number, Buffer>>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hub: LocalHub = {
    address,
    repositories,
    asked,
    refuse: () => undefined,
    close: () => new Promise((done) => server.close(() => done())),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', address).pathname);
    const body = await bytesOf(request);
    asked.push(`${request.method} ${path}`);
    const refused = hub.refuse(request.method ?? '', path);
    if (refused !== undefined) {
      response.writeHead(refused).end('{}');
      return;
    }
    const upload = /^\/lfs\/(\w{64})(?:\/(\d+))?$/.exec(path);
    if (upload && request.method === 'PUT') return put(upload[1]!, upload[2], body, response);
    if (upload) return complete(upload[1]!, body, response);
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end('{}');
    const [status, content] = api(path, body);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(content);
  }

  function api(path: string, body: Buffer): [number, string | Buffer] {
    if (path === '/api/repos/create') {
      const { name, organization, visibility } = JSON.parse(String(body));
      const repository = `${organization}/${name}`;
      if (repositories.has(repository)) return [409, '{"error":"it is there already"}'];
      repositories.set(repository, { visibility, files: new Map(), commits: [] });
      return [200, JSON.stringify({ url: `${address}/${repository}`, id: '1' })];
    }
    const call =
      /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\.git)?\/(preupload|commit|resolve|info\/lfs\/objects\/batch)(?:\/main)?(?:\/(.+))?$/.exec(
        path,
      );
    const repository = repositories.get(call?.[1] ?? '');
    if (!call || !repository) return [404, '{"error":"not found"}'];
    if (call[2] === 'preupload') return [200, preupload(body)];
    if (call[2] === 'commit') return [200, commit(repository, call[1]!, body)];
    if (call[2] === 'resolve')
      return repository.files.has(call[3]!) ? [200, repository.files.get(call[3]!)!] : [404, ''];
    return [200, batch(body)];
  }

  function batch(body: Buffer): string {
    const { objects } = JSON.parse(String(body)) as { objects: { oid: string; size: number }[] };
    const actions = objects.map(({ oid, size }) => {
      if (stored.has(oid)) return { oid, size };
      const href = `${address}/lfs/${oid}`;
      const count = Math.ceil(size / partBytes);
      const numbers = Array.from({ length: count }, (_, i) => String(i + 1).padStart(5, '0'));
      const header =
        size > partBytes
          ? { chunk_size: String(partBytes), ...Object.fromEntries(numbers.map((n) => [n, `${href}/${Number(n)}`])) }
          : {};
      return { oid, size, actions: { upload: { href, header } } };
    });
    return JSON.stringify({ transfer: size(actions) ? 'multipart' : 'basic', objects: actions });
  }

  function put(oid: string, part: string | undefined, body: Buffer, response: ServerResponse): void {
    if (part === undefined) {
      keep(oid, body, response);
      return;
    }
    parts.set(oid, (parts.get(oid) ?? new Map()).set(Number(part), body));
    response.writeHead(200, { ETag: `"${oid}-${part}"` }).end();
  }

  function complete(oid: string, body: Buffer, response: ServerResponse): void {
    const { parts: named } = JSON.parse(String(body)) as { parts: { partNumber: number; etag: string }[] };
    const here = parts.get(oid) ?? new Map<number, Buffer>();
    const wrong = named.some(({ partNumber, etag }) => etag !== `"${oid}-${partNumber}"`);
    if (wrong || named.length !== here.size) return void response.writeHead(400).end('{}');
    keep(oid, Buffer.concat(named.map(({ partNumber }) => here.get(partNumber)!)), response);
  }

  function keep(oid: string, body: Buffer, response: ServerResponse): void {
    if (createHash('sha256').update(body).digest('hex') !== oid) return void response.writeHead(400).end('{}');
    stored.set(oid, body);
    response.writeHead(200).end('{}');
  }

  function commit(repository: Repository, name: string, body: Buffer): string {
    for (const line of String(body).split('\n')) {
      const { key, value } = JSON.parse(line);
      if (key === 'header') repository.commits.push(value.summary);
      else if (key === 'file') repository.files.set(value.path, Buffer.from(value.content, value.encoding));
      else if (key === 'lfsFile') repository.files.set(value.path, stored.get(value.oid)!);
    }
    const commitOid = String(repository.commits.length);
    return JSON.stringify({ commitOid, commitUrl: `${address}/${name}/commit/${commitOid}`, hookOutput: '' });
  }
  return hub;
}

/** The hub's own rule for weights: LFS. */
function preupload(body: Buffer): string {
  const { files } = JSON.parse(String(body)) as { files: { path: string }[] };
  const mode = (path: string) => (/\.(safetensors|png)$/.test(path) ? 'lfs' : 'regular');
  return JSON.stringify({ files: files.map(({ path }) => ({ path, uploadMode: mode(path), shouldIgnore: false })) });
}

const size = (objects: readonly { actions?: { upload: { header: object } } }[]): boolean =>
  objects.some(({ actions }) => actions && Object.keys(actions.upload.header).length > 0);

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
