// How long functions are, as the house rule counts: lines of code, without blank lines and comments. What a function holds
// counts for it, other functions too. Biome's own rule leaves out signatures and all lines that begin with a brace.
import ts from 'typescript';

/** Lines of code that a function has at most. */
export const MOST_LINES = 60;

/** Before a function that has to be longer, with the reason: `// long function: …`. */
const EXCUSE = /\blong function: \S/;

/**
 * The functions of a file that are too long.
 * @returns {{ line: number, name: string, lines: number }[]}
 */
export function longFunctions(/** @type {string} */ path, /** @type {string} */ text, most = MOST_LINES) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const isCode = text.split('\n').map((line) => !/^\s*(\/\/|\/\*|\*( |\/|$)|$)/.test(line));
  const lineAt = (/** @type {number} */ at) => source.getLineAndCharacterOfPosition(at).line;
  /** @type {{ line: number, name: string, lines: number }[]} */
  const found = [];
  const visit = (/** @type {import('typescript').Node} */ node) => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const first = lineAt(node.getStart());
      const lines = isCode.slice(first, lineAt(node.end) + 1).filter(Boolean).length;
      const before = text.slice(node.pos, node.getStart());
      if (lines > most && !EXCUSE.test(before)) found.push({ line: first + 1, name: nameOf(node), lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Its own name, or that of what holds it. */
function nameOf(/** @type {import('typescript').SignatureDeclaration} */ { name, parent }) {
  const named = name ?? ('name' in parent ? /** @type {import('typescript').Node} */ (parent.name) : undefined);
  return named?.getText() ?? 'a function';
}
