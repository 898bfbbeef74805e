// The captions file: CSV with a header, separated by commas, semicolons or tabs; columns file and caption, and where wanted group, category, licence, source.
import * as z from 'zod/mini';
import { DataError } from '../errors.js';
import { optionalPackage } from './optional.js';

/** One row of a captions file. Empty cells are absent. */
export interface CaptionRow {
  file: string;
  caption: string;
  group?: string | undefined;
  category?: string | undefined;
  licence?: string | undefined;
  source?: string | undefined;
}

/** The rows of a captions file. */
export interface Captions {
  /** By file name in NFC, as the CSV has it otherwise, with `/` between folders. */
  rows: Map<string, CaptionRow>;
  /** Files that occur in more than one row; the first row counts. */
  repeated: string[];
}

const known = ['file', 'caption', 'group', 'category', 'licence', 'source'] as const;

const cell = z.optional(z.string());
const rowSchema: z.ZodMiniType<CaptionRow> = z.object({
  file: z.string().check(z.minLength(1, 'the cell "file" is empty')),
  caption: z.string(),
  group: cell,
  category: cell,
  licence: cell,
  source: cell,
});

/**
 * Parses the text of a captions file.
 * @throws DataError if it is no CSV, lacks a column or has a row without file, or if the optional peer dependency
 *   `csv-parse` is not installed
 */
export async function parseCaptions(text: string, path = 'captions.csv'): Promise<Captions> {
  const { parse } = await optionalPackage('csv-parse', 'reading captions', () => import('csv-parse/sync'));
  let records: Record<string, string>[];
  try {
    records = parse(text, {
      delimiter: delimiterOf(text),
      columns: checkHeader(path),
      bom: true,
      trim: true,
      skip_empty_lines: true,
    });
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError('captions', `${path} is not a CSV file with a header: ${(cause as Error).message}.`, { cause });
  }
  const rows = new Map<string, CaptionRow>();
  const repeated = new Set<string>();
  records.forEach((record, index) => {
    const filled = Object.fromEntries(known.map((name) => [name, record[name]]).filter(([, value]) => value !== ''));
    const parsed = rowSchema.safeParse({ ...filled, file: record.file ?? '', caption: record.caption ?? '' });
    if (!parsed.success) {
      throw new DataError(
        'captions',
        `${path}, row ${index + 1} after the header: ${parsed.error.issues[0]!.message}.`,
      );
    }
    const file = parsed.data.file.replaceAll('\\', '/').replace(/^\.\//, '').normalize('NFC');
    if (rows.has(file)) repeated.add(file);
    else rows.set(file, { ...parsed.data, file });
  });
  return { rows, repeated: [...repeated] };
}

function checkHeader(path: string) {
  return (header: string[]): string[] => {
    const names = header.map((name) => name.trim().toLowerCase());
    const missing = ['file', 'caption'].filter((name) => !names.includes(name));
    if (missing.length > 0) {
      throw new DataError(
        'captions',
        `${path} has no column ${missing.join(' and no column ')} (columns: ${names.join(', ')}). The first line names the columns.`,
      );
    }
    const twice = known.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
    if (twice) throw new DataError('captions', `${path} has two columns ${twice}. Give each column a name of its own.`);
    return names;
  };
}

/** Spreadsheets write semicolons where a comma is the decimal sign. The header says which it is: a comma unless it has none. */
function delimiterOf(text: string): string {
  const header = /^\uFEFF?\s*(.*)/.exec(text)![1]!;
  const columns = (delimiter: string) =>
    header.split(delimiter).map((name) =>
      name
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim()
        .toLowerCase(),
    );
  return [',', ';', '\t'].find((delimiter) => columns(delimiter).includes('file')) ?? ',';
}
