// A page of a bucket's list: the answer to ListObjectsV2 with encoding-type=url, of which few elements are needed.
import { StoreError } from '../errors.js';

/** The keys of a page, and what asks for the next one. */
export interface ListPage {
  readonly keys: readonly string[];
  readonly next: string | undefined;
}

/** @throws StoreError if it is no list, or says that more follows and not how to ask for it */
export function pageOf(xml: string, bucket: string): ListPage {
  const fail = (what: string): never => {
    throw new StoreError('s3', `the server's list of the bucket "${bucket}" ${what}. Is this a server of S3?`);
  };
  if (!/<ListBucketResult[\s>]/.test(xml)) fail('is none');
  // Keys are percent-encoded, so that no markup can be in them.
  const isEncoded = textOf(xml, 'EncodingType') === 'url';
  const keys = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, content]) => {
    const key = textOf(content!, 'Key') ?? fail('has an entry without a key');
    return isEncoded ? decoded(key, fail) : key;
  });
  const next = textOf(xml, 'NextContinuationToken');
  if (textOf(xml, 'IsTruncated') !== 'true') return { keys, next: undefined };
  return next ? { keys, next } : fail('ends in the middle');
}

function decoded(key: string, fail: (what: string) => never): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return fail('has a key that is not encoded as was asked for');
  }
}

/** The text of the first element of a name. */
function textOf(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text?.replace(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi, (whole, word, decimal, hex) => {
    if (word !== undefined) return entities[String(word).toLowerCase()]!;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
