// The captions file: CSV with a header, separated by commas, semicolons or tabs, or JSON lines; columns file and caption, and
// where wanted group, category, licence, source.
import { DataError } from '../errors.js';
import { optionalPackage } from './optional.js';
import {
  type Columns,
  checkColumns,
  columnOf,
  type PictureWords,
  pictureFields,
  textOf,
  wordFields,
  wordsOf,
} from './sources/fields.js';

/** One row of a captions file. Empty cells are absent. */
export interface CaptionRow {
  file: string;
  caption: string;
  group?: string | undefined;
  category?: string | undefined;
  licence?: string | undefined;
  source?: string | undefined;
  score?: string | undefined;
}

/** The rows of a captions file. */
export interface Captions {
  /** By file name as it is written, without a leading `./`. */
  rows: Map<string, CaptionRow>;
  /** File names that are written in more than one row; the first row counts. */
  repeated: string[];
}

/** Which columns a captions file has, where they are not called file, caption and so on. */
export interface CaptionsOptions {
  readonly columns?: Columns | undefined;
}

/**
 * Parses the text of a captions file: CSV with a header, or JSON lines (one object for each picture, as in
 * `metadata.jsonl`).
 * @throws DataError if it is neither, lacks a column or has a row without file, or if the optional peer dependency
 *   `csv-parse`, which reads CSV, is not installed
 */
export async function parseCaptions(
  text: string,
  path = 'captions.csv',
  { columns }: CaptionsOptions = {},
): Promise<Captions> {
  const table = /^\uFEFF?\s*[{[]/.test(text) ? parseJsonLines(text, path) : await parseCsv(text, path, columns);
  const { names, records, line } = table;
  const file = columnOf('file', names, columns);
  const caption = columnOf('caption', names, columns);
  const missing = [file === undefined && 'file', caption === undefined && 'caption'].filter(Boolean);
  if (missing.length > 0) {
    const what = `${path} has no column ${missing.join(' and no column ')} (columns: ${names.join(', ')})`;
    throw new DataError('captions', `${what}. ${table.hint}`);
  }
  checkColumns(names, columns, ['file', ...wordFields]);
  const rows = new Map<string, CaptionRow>();
  const repeated = new Set<string>();
  for (const [i, record] of records.entries()) {
    const name = textOf(record[file!])?.replace(/^\.\//, '');
    if (name === undefined) throw new DataError('captions', `${path}, ${line(i)}: the cell "${file}" is empty.`);
    if (rows.has(name)) repeated.add(name);
    else rows.set(name, rowOf(name, wordsOf(record, columns)));
  }
  return { rows, repeated: [...repeated] };
}

function rowOf(file: string, { caption = '', ...words }: PictureWords): CaptionRow {
  return { file, caption, ...words };
}

interface Table {
  readonly names: readonly string[];
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** Where record i is, for people. */
  line(i: number): string;
  /** How a table says which columns it has. */
  readonly hint: string;
}

async function parseCsv(text: string, path: string, columns: Columns | undefined): Promise<Table> {
  const { parse } = await optionalPackage('csv-parse', 'reading captions', () => import('csv-parse/sync'));
  let names: string[] = [];
  try {
    const records: Record<string, string>[] = parse(text, {
      delimiter: delimiterOf(text, columns),
      columns: (header: string[]) => {
        names = header.map((name) => name.trim().toLowerCase());
        checkTwice(names, columns, path);
        return names;
      },
      bom: true,
      trim: true,
      skip_empty_lines: true,
    });
    return { names, records, line: (i) => `row ${i + 1} after the header`, hint: 'The first line names the columns.' };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError('captions', `${path} is not a CSV file with a header: ${(cause as Error).message}.`, { cause });
  }
}

function parseJsonLines(text: string, path: string): Table {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const numbered = lines.map((content, i) => ({ content, line: i + 1 })).filter(({ content }) => content.trim() !== '');
  const records = numbered.map(({ content, line }) => recordOf(content, `${path}, line ${line}`));
  const hint = 'Each line names its columns: {"file": "a.png", "caption": "a cat"}.';
  return { names: [...new Set(records.flatMap(Object.keys))], records, line: (i) => `line ${numbered[i]!.line}`, hint };
}

/** One line of JSON lines, or a file of one record. @param fix - what to do if it is none. @throws DataError if it is no object */
export function recordOf(line: string, path: string, fix = 'Write one in each line.'): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Said below: it is no object either.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new DataError('captions', `${path} is not a JSON object. ${fix}`);
}

/** Which row belongs to which file, and the rows that belong to none. */
export interface MatchedRows {
  /** By file as it was given. */
  rows: Map<string, CaptionRow>;
  /** File names of rows that are left over: no file has that name. */
  missing: string[];
  /** File names of rows that are left over: another row is the file's already. */
  repeated: string[];
}

/**
 * Gives each file its row. A row whose name is the file's to the letter comes first, then one that writes accents in
 * another form, then one that has `\` for `/`, as on Windows: so `a\b.png` and `a/b.png` can be two files of one folder.
 * A row belongs to one file only.
 */
export function matchRows(captions: Captions, files: readonly string[]): MatchedRows {
  const matched = new Map<string, CaptionRow>();
  const left = new Set(captions.rows.values());
  for (const form of [(name: string) => name, accents, slashes]) {
    const byForm = new Map<string, CaptionRow>();
    for (const row of left) if (!byForm.has(form(row.file))) byForm.set(form(row.file), row);
    for (const file of files) {
      const row = matched.has(file) ? undefined : byForm.get(form(file));
      if (!row || !left.delete(row)) continue;
      matched.set(file, row);
    }
  }
  const taken = new Set(files.filter((file) => matched.has(file)).map(slashes));
  const names = [...left].map(({ file }) => file);
  return {
    rows: matched,
    missing: names.filter((name) => !taken.has(slashes(name))),
    repeated: [...new Set([...captions.repeated, ...names.filter((name) => taken.has(slashes(name)))])],
  };
}

const accents = (name: string): string => name.normalize('NFC');
const slashes = (name: string): string => accents(name).replaceAll('\\', '/').replace(/^\.\//, '');

/** @throws DataError if two columns have the name of one that is read */
function checkTwice(names: readonly string[], columns: Columns | undefined, path: string): void {
  const read = new Set(pictureFields.map((field) => columnOf(field, names, columns)));
  const twice = names.find((name, i) => read.has(name) && names.indexOf(name) !== i);
  if (twice) throw new DataError('captions', `${path} has two columns ${twice}. Give each column a name of its own.`);
}

/** Spreadsheets write semicolons where a comma is the decimal sign. The header says which it is: a comma unless it has none. */
function delimiterOf(text: string, columns: Columns | undefined): string {
  const header = /^\uFEFF?\s*(.*)/.exec(text)![1]!;
  const names = (delimiter: string) =>
    header.split(delimiter).map((name) =>
      name
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim()
        .toLowerCase(),
    );
  return [',', ';', '\t'].find((delimiter) => columnOf('file', names(delimiter), columns) !== undefined) ?? ',';
}
