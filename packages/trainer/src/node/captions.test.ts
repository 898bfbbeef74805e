import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { parseCaptions } from './captions.js';

describe('parseCaptions', () => {
  it('reads quoted cells, a byte order mark and optional columns in any order', async () => {
    const { rows } = await parseCaptions(
      '\uFEFFCaption,file,Group\r\n"a cat, ""smiling""",.\\pets\\cat.png,g1\r\nempty group,b.png,\r\n',
    );
    expect(rows.get('pets/cat.png')).toEqual({ file: 'pets/cat.png', caption: 'a cat, "smiling"', group: 'g1' });
    expect(rows.get('b.png')).toEqual({ file: 'b.png', caption: 'empty group' });
  });

  it.each([
    ['file;caption\na.png;a cat, smiling\n'],
    ['"file" ; "caption"\n"a.png";"a cat, smiling"\n'],
    ['\uFEFFfile\tcaption\na.png\ta cat, smiling\n'],
    ['caption;x,y;file\na cat, smiling;1,5;a.png\n'],
    ['file,caption\na.png,"a cat, smiling"\n'],
  ])('finds the separator of %j in its header', async (text) => {
    const { rows } = await parseCaptions(text);
    expect([...rows.values()]).toEqual([{ file: 'a.png', caption: 'a cat, smiling' }]);
  });

  it('keeps semicolons in cells where commas separate', async () => {
    const { rows } = await parseCaptions('file,caption\na.png,cat; dog\n');
    expect(rows.get('a.png')?.caption).toBe('cat; dog');
  });

  it('takes file names for the same however their accents are written', async () => {
    const { rows, repeated } = await parseCaptions('file,caption\ncafe\u0301.png,one\ncaf\u00e9.png,two\n');
    expect(rows.get('caf\u00e9.png')?.caption).toBe('one');
    expect(repeated).toEqual(['caf\u00e9.png']);
  });

  it('keeps the first of repeated rows and names them', async () => {
    const { rows, repeated } = await parseCaptions('file,caption\na.png,one\n./a.png,two\n');
    expect(rows.get('a.png')?.caption).toBe('one');
    expect(repeated).toEqual(['a.png']);
  });

  it.each([
    ['name,caption\na.png,x\n', 'no column file (columns: name, caption)'],
    ['file,caption,Caption\na.png,x,y\n', 'has two columns caption.'],
    ['file,caption\n,x\n', 'row 1 after the header: the cell "file" is empty'],
    ['file,caption\na.png,"x\n', 'is not a CSV file'],
    ['file,caption\na.png,x,y,z\n', 'is not a CSV file'],
  ])('refuses %j', async (text, message) => {
    await expect(parseCaptions(text)).rejects.toThrow(DataError);
    await expect(parseCaptions(text)).rejects.toThrow(message);
  });
});
