// What is said of a picture, under the names that its makers gave the columns.
import { shortList } from '@paris/files';
import { DataError } from '../../errors.js';

/** What can be said of a picture besides its pixels. What is not said is absent. */
export interface PictureWords {
  readonly caption?: string | undefined;
  readonly group?: string | undefined;
  readonly category?: string | undefined;
  readonly licence?: string | undefined;
  readonly source?: string | undefined;
  /** How good it is, by whatever measured it: a number, the more the better. */
  readonly score?: string | undefined;
}

/** What a column can hold. `file` names the picture, `image` is the picture. */
export type Field = 'file' | 'image' | keyof PictureWords;

/** Which column holds what, where its name is not one of the usual ones: `{ caption: 'description' }`. */
export type Columns = Partial<Readonly<Record<Field, string>>>;

/** The usual names of columns, ours first; the first one that is there counts. */
const usual: Readonly<Record<Field, readonly string[]>> = {
  file: ['file', 'file_name', 'filename', 'path'],
  image: ['image', 'img', 'picture', 'jpg', 'png'],
  caption: ['caption', 'text', 'prompt', 'captions'],
  group: ['group'],
  category: ['category', 'label', 'class', 'cls'],
  licence: ['licence', 'license'],
  source: ['source', 'url'],
  score: ['score', 'aesthetic', 'aesthetic_score', 'similarity'],
};
/** All of {@link Field}. */
export const pictureFields: readonly Field[] = Object.keys(usual) as Field[];
/** Those that say something of a picture. */
export const wordFields = ['caption', 'group', 'category', 'licence', 'source', 'score'] as const;

/** The column that holds a field, if there is one. Case does not count. */
export function columnOf(field: Field, names: readonly string[], columns: Columns = {}): string | undefined {
  const wanted = columns[field] === undefined ? usual[field] : [columns[field]];
  for (const name of wanted) {
    const found = names.find((other) => other.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * @param held - the fields that such a source has in columns: others are of other sources, as `image` is of parquet files
 * @throws DataError if `columns` names a column that is not among `names`
 */
export function checkColumns(
  names: readonly string[],
  columns: Columns = {},
  held: readonly Field[] = pictureFields,
): void {
  for (const [field, name] of Object.entries(columns)) {
    if (!held.includes(field as Field) || columnOf(field as Field, names, columns) !== undefined) continue;
    const there = names.length > 0 ? `there are ${shortList(names)}` : 'there is none';
    throw new DataError('prepare', `there is no column ${name} for the ${field}: ${there}.`);
  }
}

/**
 * What a record says of its picture. Numbers become their digits; a list's first text counts, as of several captions. An empty cell
 * says nothing, but that a caption is empty: the picture's name is none then.
 */
export function wordsOf(record: Readonly<Record<string, unknown>>, columns: Columns = {}): PictureWords {
  const names = Object.keys(record);
  const found: Partial<Record<keyof PictureWords, string>> = {};
  for (const field of wordFields) {
    const name = columnOf(field, names, columns);
    const text = name === undefined ? undefined : textOf(record[name]);
    if (text !== undefined) found[field] = text;
    else if (field === 'caption' && name !== undefined) found[field] = '';
  }
  return found;
}

/** A cell as text; undefined where it holds none. */
export function textOf(cell: unknown): string | undefined {
  if (typeof cell === 'string') return cell.trim() === '' ? undefined : cell.trim();
  if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean') return String(cell);
  if (Array.isArray(cell)) return cell.map(textOf).find((text) => text !== undefined);
  return undefined;
}
