// Jobs come from an address, results go to one.
import { httpStore, StoreError } from '@paris/files';

/** Larger bundles are not taken into the memory of a page. */
const mostBytes = 512 * 2 ** 20;

/**
 * The bytes of a job. @throws UnavailableError if the address does not answer; FileTooLargeError; StoreError for an address that is none
 */
export async function fetchJob(address: string): Promise<Uint8Array> {
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.origin !== self.location.origin) {
    throw new StoreError('address', `"${address}" is neither https nor on this page's server. Ask for another link.`);
  }
  const name = url.pathname.split('/').at(-1) ?? '';
  if (name === '') throw new StoreError('address', `"${address}" names no file. Ask for another link.`);
  return httpStore(new URL('.', url).href).read(decodeURIComponent(name), undefined, { maxBytes: mostBytes });
}

/** Hands a result in. @returns what the server says. @throws Error with its sentence if it refuses */
export async function post(address: string, bundle: Blob): Promise<string> {
  let response: Response;
  try {
    response = await fetch(address, {
      method: 'POST',
      body: bundle,
      headers: { 'content-type': 'application/octet-stream' },
      redirect: 'error',
    });
  } catch (cause) {
    throw new Error(
      `The server did not answer (${(cause as Error).message}). The result is still here: try again, or download it.`,
    );
  }
  const said = (await response.text()).trim().slice(0, 500);
  if (response.ok) return said;
  throw new Error(`The server refuses the result: ${said || response.status}`);
}
