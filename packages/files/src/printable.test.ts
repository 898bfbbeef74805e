import { expect, it } from 'vitest';
import { printable } from './printable.js';

it('shows what would steer a terminal, and leaves all else as it is', () => {
  expect(printable('\u001b]52;c;aGk=\u0007')).toBe('\\u001b]52;c;aGk=\\u0007'); // writes the clipboard
  expect(printable('MIT\n✓ verified\r\t')).toBe('MIT\\n✓ verified\\r\\t');
  expect(printable('\u009b31m\u007f')).toBe('\\u009b31m\\u007f');
  expect(printable('a\u202egnp.exe\u2066\u200f\u2028')).toBe('a\\u202egnp.exe\\u2066\\u200f\\u2028');
  const fine = 'Ünïcode 日本 👩‍👩‍👧 C:\\photos "quoted" <b>';
  expect(printable(fine)).toBe(fine);
});

it('leaves no control character of the first 2^16', () => {
  const all = Array.from({ length: 0xd800 }, (_, code) => String.fromCharCode(code)).join('');
  expect(printable(all)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
});
