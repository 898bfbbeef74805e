import { expect, it } from 'vitest';
import { tarFiles } from './tar.js';

/** A ustar entry: header block, content, padding. */
function entry(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

it('reads regular files and nothing else', () => {
  const archive = Buffer.concat([entry('a/', '', '5'), entry('a/x', 'hello'), entry('b', ''), Buffer.alloc(1024)]);
  const files = [...tarFiles(archive)].map(([name, content]) => [name, Buffer.from(content).toString()]);
  expect(files).toEqual([
    ['a/x', 'hello'],
    ['b', ''],
  ]);
});

it('says where a cut archive is damaged', () => {
  const archive = entry('x', 'hello').subarray(0, 514);
  expect(() => [...tarFiles(archive)]).toThrow('the archive is damaged at byte 0');
});
