/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` takes the last of two
 * without a word, so that two readers of one file could disagree about it.
 * @param json - valid JSON
 */
export function duplicateKey(json: string): string | undefined {
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]]/g; // strings and brackets; the rest separates
  const open: (Set<string> | undefined)[] = []; // keys seen in each open object; undefined for an array
  for (let match = token.exec(json); match; match = token.exec(json)) {
    const text = match[0];
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(undefined);
    else if (text === '}' || text === ']') open.pop();
    else if (isKey(json, token.lastIndex)) {
      const key = JSON.parse(text) as string; // "a" and "\u0061" are one key
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

const colon = /\s*:/y;

function isKey(json: string, end: number): boolean {
  colon.lastIndex = end;
  return colon.test(json);
}
