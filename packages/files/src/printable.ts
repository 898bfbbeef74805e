/**
 * Text that came from a file, a server or another program, as it may be shown in a terminal or a log: one line, in which
 * control characters and those that change the direction of writing are visible as `\n`, `\u001b`, `\u202e` …, so that no
 * name can write to the clipboard, forge a line or hide its end.
 */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => short[character] ?? `\\u${hex(character.charCodeAt(0))}`);
}

// Cc: C0, DEL and C1 (some terminals take U+009B for "escape ["). Line and paragraph separators start lines, too.
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const hex = (code: number) => code.toString(16).padStart(4, '0');
