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

  it('keeps the first of repeated rows and names them', async () => {
    const { rows, repeated } = await parseCaptions('file,caption\na.png,one\n./a.png,two\n');
    expect(rows.get('a.png')?.caption).toBe('one');
    expect(repeated).toEqual(['a.png']);
  });

  it.each([
    ['name,caption\na.png,x\n', 'no column file (columns: name, caption)'],
    ['file,caption\n,x\n', 'row 1 after the header: the cell "file" is empty'],
    ['file,caption\na.png,"x\n', 'is not a CSV file'],
    ['file,caption\na.png,x,y,z\n', 'is not a CSV file'],
  ])('refuses %j', async (text, message) => {
    await expect(parseCaptions(text)).rejects.toThrow(DataError);
    await expect(parseCaptions(text)).rejects.toThrow(message);
  });
});
