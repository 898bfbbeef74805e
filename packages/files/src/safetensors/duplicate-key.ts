/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` takes the last of two
 * without a word, so that two readers of one file could disagree about it.
 * @param json - valid JSON
 */
export function duplicateKey(json: string): string | undefined {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g; // strings, with the colon that makes one a key, and braces
  const open: Set<string>[] = []; // the keys seen in each open object
  for (const [text, string, colon] of json.matchAll(token)) {
    if (text === '{') open.push(new Set());
    else if (text === '}') open.pop();
    else if (colon) {
      const key = JSON.parse(string!) as string; // "a" and "\u0061" are one key
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
