// Addresses that a stranger chose: only servers of the open internet, and only by https. A program that fetches whatever it is
// given could otherwise be sent to what only its own machine or network can reach.
import { StoreError } from '../errors.js';
import { withoutSecrets } from './address.js';

/**
 * Does nothing for an https address that does not name this machine or a private network. What a name resolves to is not looked
 * up: browsers cannot. The range is that of RFC 6890 and IANA's registries.
 * @param allowPrivate - takes http, this machine and private networks as well. Default false
 * @throws StoreError for any other
 */
export function assertPublicAddress(
  address: string | URL,
  { allowPrivate = false }: { allowPrivate?: boolean } = {},
): void {
  const shown = withoutSecrets(address);
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new StoreError('address', `"${shown}" is no URL. Give an absolute one: https://host/folder/`);
  }
  const schemes = allowPrivate ? ['https:', 'http:'] : ['https:'];
  if (!schemes.includes(url.protocol)) throw new StoreError('address', `"${shown}" is not an https address.`);
  if (url.username !== '' || url.password !== '') {
    throw new StoreError('address', `"${shown}" holds a user or a password, which others would read.`);
  }
  if (allowPrivate || !isPrivate(url.hostname)) return;
  throw new StoreError(
    'address',
    `"${shown}" is an address of this machine or of a private network, which is not fetched from.`,
  );
}

function isPrivate(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  if (host.startsWith('[')) return isPrivateV6(host.slice(1, -1));
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return isPrivateV4(host.split('.').map(Number)); // URL makes 0x7f.1 this form
  return !host.includes('.') || /\.(localhost|local|internal|intranet|lan|home\.arpa|onion)$/.test(host);
}

function isPrivateV4([a, b, c]: readonly number[]): boolean {
  if (a === 0 || a === 10 || a === 127 || a! >= 224) return true;
  if (a === 100) return b! >= 64 && b! < 128;
  if (a === 169) return b === 254;
  if (a === 172) return b! >= 16 && b! < 32;
  if (a === 192) return b === 168 || (b === 0 && (c === 0 || c === 2));
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  return a === 203 && b === 0 && c === 113;
}

/** Only 2000::/3 is routed; in it are 6to4 and Teredo, which wrap addresses of IPv4, and the range of documentation. */
function isPrivateV6(host: string): boolean {
  const first = Number.parseInt(host.split(':')[0] || '0', 16);
  if (first < 0x2000 || first > 0x3fff) return true;
  return first === 0x2002 || /^2001:(0?:|:|0*db8:)/.test(host);
}
