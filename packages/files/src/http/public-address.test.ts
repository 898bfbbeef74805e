import { describe, expect, it } from 'vitest';
import { StoreError } from '../errors.js';
import { assertPublicAddress } from './public-address.js';

describe('assertPublicAddress', () => {
  it.each([
    'https://example.org/a/',
    'https://8.8.8.8/x',
    'https://[2a00:1450::1]/',
    'https://172.32.0.1/',
    'https://a.b:8443/',
  ])('takes %s', (address) => expect(() => assertPublicAddress(address)).not.toThrow());

  it.each([
    ...['http://example.org/', 'ftp://example.org/', 'file:///etc/passwd', 'data:text/plain,x', 'javascript:alert(1)'],
    ...['https://localhost/', 'https://LOCALHOST./', 'https://a.localhost/', 'https://printer/', 'https://nas.local/'],
    ...['https://127.0.0.1/', 'https://0x7f.1/', 'https://2130706433/', 'https://017700000001/', 'https://127.1/'],
    ...['https://10.1.2.3/', 'https://172.16.0.1/', 'https://192.168.1.1/', 'https://169.254.169.254/latest/'],
    ...['https://100.64.0.1/', 'https://0.0.0.0/', 'https://224.0.0.1/', 'https://255.255.255.255/'],
    ...['https://[::1]/', 'https://[::]/', 'https://[fc00::1]/', 'https://[fe80::1]/', 'https://[::ffff:127.0.0.1]/'],
    ...['https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/', 'https://[2001:db8::1]/', 'https://[2001::1]/'],
    ...['https://metadata.google.internal/', 'https://ada:secret@example.org/', 'nothing', '//example.org/'],
  ])('refuses %s', (address) => {
    expect(() => assertPublicAddress(address)).toThrow(StoreError);
    try {
      assertPublicAddress(address);
    } catch (error) {
      expect((error as Error).message).not.toContain('secret');
    }
  });

  it('takes this machine where that is allowed, and nothing but http and https', () => {
    expect(() => assertPublicAddress('http://127.0.0.1:8080/', { allowPrivate: true })).not.toThrow();
    expect(() => assertPublicAddress('file:///etc/', { allowPrivate: true })).toThrow('is not an https address.');
  });
});
