// What can be asked of a JSON text before it is parsed, in one pass and without a stack.

/**
 * Whether lists and objects of a text lie in each other deeper than `most`. Parsers and whatever walks their result are
 * recursive: a few kilobytes of brackets would end in a RangeError somewhere.
 */
export function isDeeper(json: string, most: number): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === quotation) i = endOfString(json, i);
    else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > most) return true;
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
  }
  return false;
}

/**
 * The first key that stands twice in one object of a JSON text, or undefined. `JSON.parse` takes the last of two
 * without a word, so that two readers of one file could disagree about it.
 * @param json - valid JSON
 */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []; // the keys seen in each open object
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === openBrace) open.push(new Set());
    else if (code === closeBrace) open.pop();
    else if (code === quotation) {
      const end = endOfString(json, i);
      if (isBeforeColon(json, end)) {
        const key = JSON.parse(json.slice(i, end + 1)) as string; // "a" and "\u0061" are one key
        const keys = open.at(-1)!;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end;
    }
  }
  return undefined;
}

const [quotation, colon, backslash] = [0x22, 0x3a, 0x5c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Where the string that begins at `start` ends: its closing quotation mark, or the end of the text. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json.charCodeAt(end - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return json.length;
}

function isBeforeColon(json: string, end: number): boolean {
  let i = end + 1;
  while (json.charCodeAt(i) <= 0x20) i += 1;
  return json.charCodeAt(i) === colon;
}
