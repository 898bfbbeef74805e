// Marks what a module computes when it is loaded as pure in what we publish: a bundler then leaves out an op that a page does
// not use, though the page uses another one of the same module.
import ts from 'typescript';

const MARK = '/* @__PURE__ */ ';

/** A plugin of tsdown. @returns {import('rolldown').Plugin} */
export function pure() {
  return {
    name: 'paris-pure',
    transform: { filter: { id: /\.ts$/ }, handler: (code, id) => marked(code, id) },
  };
}

/**
 * Marks the calls in the constants of a module, but not those inside of functions: these are made later.
 * @param {string} code @param {string} id
 */
function marked(code, id) {
  const source = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true);
  /** @type {number[]} */
  const calls = [];
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isFunctionLike(node)) return;
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) calls.push(node.getStart());
    ts.forEachChild(node, visit);
  };
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { initializer } of statement.declarationList.declarations) if (initializer) visit(initializer);
  }
  let text = code;
  for (const at of [...new Set(calls)].sort((a, b) => b - a)) text = text.slice(0, at) + MARK + text.slice(at);
  return text;
}
