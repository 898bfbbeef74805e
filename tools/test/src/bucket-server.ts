// A small server of S3's protocol for tests: GetObject with ranges and ListObjectsV2 in pages. It computes every signature
// itself, from the specification and not by the client's code (AWS Signature Version 4, "Create a signed AWS API request").
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';

/** Who may read, and how the server answers. */
export interface BucketServer {
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly pageSize: number;
}

/** Serves objects (by key) at `/BUCKET/KEY`; `log` gets a line for each request, `refused` why one was refused. */
export function serveBucket(
  objects: ReadonlyMap<string, Uint8Array>,
  server: BucketServer,
  { log = [], refused = [] }: { log?: string[]; refused?: string[] } = {},
): RequestListener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    log.push(`${request.method} ${url.pathname}${url.search} ${request.headers.range ?? ''}`.trim());
    const reason = refusal(request, url, server);
    if (reason !== undefined) {
      refused.push(reason);
      return void response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
    }
    const key = decodeURIComponent(url.pathname).slice(server.bucket.length + 2);
    if (key === '') return void response.writeHead(200).end(listOf(objects, url.searchParams, server));
    const content = objects.get(key);
    if (!content) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    response.setHeader('ETag', `"${createHash('md5').update(content).digest('hex')}"`);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (from === undefined) return void response.writeHead(200).end(content);
    const [start, last] = [Number(from), Math.min(Number(to), content.length - 1)];
    if (start > last) return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${content.length}` });
    response.end(content.subarray(start, last + 1));
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
/** RFC 3986: all but unreserved characters. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Why a request is not answered, if it is not. */
function refusal(request: IncomingMessage, url: URL, server: BucketServer): string | undefined {
  const form =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/;
  const [, id, day, region, names, signature] = form.exec(request.headers.authorization ?? '') ?? [];
  if (id === undefined) return 'not signed';
  if (id !== server.accessKeyId || region !== server.region) return 'another key or region';
  if (request.headers['x-amz-security-token'] !== server.sessionToken) return 'another token';
  const time = String(request.headers['x-amz-date']);
  if (!time.startsWith(day!)) return 'another day';
  const list = names!.split(';');
  const needed = [
    'host',
    'x-amz-content-sha256',
    'x-amz-date',
    ...(server.sessionToken ? ['x-amz-security-token'] : []),
  ];
  if (needed.some((name) => !list.includes(name))) return 'a header that is not signed';
  const canonical = [
    request.method,
    url.pathname
      .split('/')
      .map((part) => encode(decodeURIComponent(part)))
      .join('/'),
    [...url.searchParams]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...list.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const chain = [day!, region!, 's3', 'aws4_request'];
  const key = chain.reduce<string | Buffer>((from, text) => hmac(from, text), `AWS4${server.secretAccessKey}`);
  const expected = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')).toString('hex');
  return signature === expected ? undefined : 'another signature';
}

function listOf(objects: ReadonlyMap<string, Uint8Array>, query: URLSearchParams, { pageSize }: BucketServer): string {
  if (query.get('list-type') !== '2' || query.get('encoding-type') !== 'url') return '<Error/>';
  const prefix = query.get('prefix') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  // A token may hold anything, such as what markup and addresses have their own use for.
  const from = Number(/^<&\+\/=(\d+)>$/.exec(query.get('continuation-token') ?? '')?.[1] ?? 0);
  const page = keys.slice(from, from + pageSize);
  const more = from + pageSize < keys.length;
  const contents = page.map((key) => {
    const encoded = encode(key).replaceAll('%20', '+').replaceAll('%2F', '/');
    return `<Contents><Key>${encoded}</Key><Size>${objects.get(key)!.length}</Size></Contents>`;
  });
  const token = more ? `<NextContinuationToken>&lt;&amp;+/=${from + pageSize}&gt;</NextContinuationToken>` : '';
  const head = `<IsTruncated>${more}</IsTruncated><EncodingType>url</EncodingType>${token}`;
  const xmlns = 'http://s3.amazonaws.com/doc/2006-03-01/';
  return `<?xml version="1.0"?>\n<ListBucketResult xmlns="${xmlns}">${head}${contents.join('')}</ListBucketResult>`;
}
