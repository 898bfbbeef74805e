import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { matchRows, parseCaptions } from './captions.js';

describe('parseCaptions', () => {
  it('reads quoted cells, a byte order mark and optional columns in any order', async () => {
    const { rows } = await parseCaptions(
      '\uFEFFCaption,file,Group\r\n"a cat, ""smiling""",.\\pets\\cat.png,g1\r\nempty group,b.png,\r\n',
    );
    expect(rows.get('.\\pets\\cat.png')).toEqual({
      file: '.\\pets\\cat.png',
      caption: 'a cat, "smiling"',
      group: 'g1',
    });
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

  it('reads JSON lines, by the names that others use', async () => {
    const { rows } = await parseCaptions(
      '\uFEFF{"file_name": "./a.png", "text": ["a cat", "a pet"], "label": 3, "license": "MIT", "width": 9}\r\n\n' +
        '{"file_name": "b.png", "text": null, "URL": "https://example.org/b"}\n',
    );
    expect([...rows.values()]).toEqual([
      { file: 'a.png', caption: 'a cat', category: '3', licence: 'MIT' },
      { file: 'b.png', caption: '', source: 'https://example.org/b' },
    ]);
  });

  it('takes the columns that it is given, and refuses what is not there', async () => {
    const text = 'Name;Text;Description\na.png;no;yes\n';
    const columns = { file: 'name', caption: 'Description' };
    const { rows } = await parseCaptions(text, 'x.csv', { columns });
    expect([...rows.values()]).toEqual([{ file: 'a.png', caption: 'yes' }]);
    await expect(parseCaptions(text, 'x.csv', { columns: { ...columns, licence: 'rights' } })).rejects.toThrow(
      '[prepare] there is no column rights for the licence: there are name, text, description.',
    );
  });

  it('keeps the first of repeated rows and names them', async () => {
    const { rows, repeated } = await parseCaptions('file,caption\na.png,one\n./a.png,two\n');
    expect(rows.get('a.png')?.caption).toBe('one');
    expect(repeated).toEqual(['a.png']);
  });

  it.each([
    ['name,caption\na.png,x\n', 'no column file (columns: name, caption)'],
    ['file,caption,Caption\na.png,x,y\n', 'has two columns caption.'],
    ['[{"file": "a.png"}]\n', 'captions.csv, line 1 is not a JSON object. Write one in each line.'],
    ['{"file": "a.png", "caption": "x"}\n\n{"file": \n', 'captions.csv, line 3 is not a JSON object.'],
    ['{"name": "a.png", "text": "x"}\n', 'no column file (columns: name, text). Each line names its columns'],
    ['{"file": "a.png", "text": "x"}\n\n{"file": 0, "text": "y"}\n{"text": "z"}', 'line 4: the cell "file" is empty'],
    ['file,caption\n,x\n', 'row 1 after the header: the cell "file" is empty'],
    ['file,caption\na.png,"x\n', 'is not a CSV file'],
    ['file,caption\na.png,x,y,z\n', 'is not a CSV file'],
  ])('refuses %j', async (text, message) => {
    await expect(parseCaptions(text)).rejects.toThrow(DataError);
    await expect(parseCaptions(text)).rejects.toThrow(message);
  });
});

describe('matchRows', () => {
  const match = async (names: string[], files: string[]) => {
    const text = `file,caption\n${names.map((name, i) => `${name},row ${i}\n`).join('')}`;
    const { rows, missing, repeated } = matchRows(await parseCaptions(text), files);
    return { captions: files.map((file) => rows.get(file)?.caption), missing, repeated };
  };
  const [nfc, nfd] = ['caf\u00e9.png', 'cafe\u0301.png'];

  it.each([
    ['the letter', ['a\\b.png', 'a/b.png'], ['a/b.png', 'a\\b.png'], ['row 1', 'row 0']],
    ['the letter, the row of one missing', ['a/b.png'], ['a\\b.png', 'a/b.png'], [undefined, 'row 0']],
    ['the letter, with both forms of an accent', [nfd, nfc], [nfc, nfd], ['row 1', 'row 0']],
    ['another form of an accent', [nfd, 'x.png'], [nfc, 'x.png'], ['row 0', 'row 1']],
    [
      'backslashes between folders',
      ['.\\pets\\cat.png', 'c\\d\\e.png'],
      ['c/d/e.png', 'pets/cat.png'],
      ['row 1', 'row 0'],
    ],
    ['accents before backslashes', ['a\\cafe\u0301.png', 'a/caf\u00e9.png'], ['a/cafe\u0301.png'], ['row 1']],
  ])('by %s', async (_, names, files, captions) => {
    expect((await match(names, files)).captions).toEqual(captions);
  });

  it('tells rows of a file that has one from rows of no file', async () => {
    expect(await match([nfd, nfc, 'a\\b.png', 'a/b.png', 'gone.png'], [nfc, 'a/b.png'])).toEqual({
      captions: ['row 1', 'row 3'],
      missing: ['gone.png'],
      repeated: [nfd, 'a\\b.png'],
    });
  });
});
