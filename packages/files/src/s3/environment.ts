// What the usual environment variables say of S3: names as in AWS's own tools.
import { StoreError } from '../errors.js';
import type { S3Options } from './store.js';

/** A pair of keys, and the token of temporary ones. None of them is in any message. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` or `AWS_DEFAULT_REGION`,
 * `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`. Without keys there are no credentials: requests are not signed.
 * @throws StoreError if one of the two keys is there without the other
 */
export function s3Environment(
  environment: Readonly<Record<string, string | undefined>>,
): Pick<S3Options, 'credentials' | 'region' | 'endpoint'> {
  const of = (...names: string[]) => names.map((name) => environment[name]).find((value) => value);
  const [accessKeyId, secretAccessKey] = [of('AWS_ACCESS_KEY_ID'), of('AWS_SECRET_ACCESS_KEY')];
  const [region, endpoint] = [of('AWS_REGION', 'AWS_DEFAULT_REGION'), of('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL')];
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    const missing = accessKeyId === undefined ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY';
    throw new StoreError('s3', `${missing} is not set, and the other key is. Set both, or none for a public bucket.`);
  }
  const sessionToken = of('AWS_SESSION_TOKEN');
  return {
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, sessionToken } }),
    ...(region && { region }),
    ...(endpoint && { endpoint }),
  };
}
