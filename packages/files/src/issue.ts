// What a schema found wrong with JSON from outside, as people say it. The schema libraries' own texts need a language.

/** An issue as zod reports it (and whatever has the same fields). */
export interface SchemaIssue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly keys?: readonly string[];
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly pattern?: string;
}

/**
 * `depth must be a whole number, got "2"`; `depth is missing`; `hiddensize is not known`.
 * @param json - the whole value that was checked
 */
export function describeIssue(issue: SchemaIssue, json: unknown): string {
  if (issue.keys)
    return issue.keys.map((key) => `${[...issue.path, key].map(String).join('.')} is not known`).join('; ');
  const name = issue.path.length > 0 ? issue.path.map(String).join('.') : 'it';
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], json);
  if (got === undefined) return issue.path.length > 0 ? `${name} is missing` : 'there is nothing';
  const must = requirement(issue);
  return must ? `${name} must be ${must}, got ${show(got)}` : `${name}: ${issue.message}`;
}

function requirement({ code, expected, values, options, origin, minimum, maximum, inclusive, pattern }: SchemaIssue) {
  const among = values ?? options;
  if (among) return among.map((value) => JSON.stringify(value)).join(' or ');
  if (code === 'invalid_type') return kinds[expected ?? ''] ?? expected;
  if (pattern) return `a text like ${pattern}`;
  const bound = minimum ?? maximum;
  if (bound === undefined) return undefined;
  const least = minimum !== undefined;
  if (origin === 'array') return `a list of at ${least ? 'least' : 'most'} ${bound}`;
  if (origin === 'string') return `a text of at ${least ? 'least' : 'most'} ${bound} letters`;
  if (inclusive) return least ? `${bound} or more` : `${bound} or less`;
  return least ? `more than ${bound}` : `less than ${bound}`;
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
};

/** A value as it is shown in a sentence. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
