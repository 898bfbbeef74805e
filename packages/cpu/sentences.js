// What the build makes of the sentences of errors: see src/say.ts.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * Replaces each say`…` by say(number, …operands), and puts the texts into sentences.ts.
 * @param {readonly string[]} files the sources, in the order that numbers the sentences
 * @returns {import('rolldown').Plugin}
 */
export function sentences(files) {
  /** @type {string[][]} */
  const texts = [];
  const coded = new Map(files.map((file) => [file, codesOf(readFileSync(file, 'utf8'), texts)]));
  return {
    name: 'sentences',
    transform(_, id) {
      if (/[\\/]src[\\/]sentences\.ts$/.test(id)) return `export const sentences = ${JSON.stringify(texts)};`;
      return coded.get(id);
    },
  };
}

/**
 * A source in which sentences are codes.
 * @param {string} code
 * @param {string[][]} texts the sentences so far, to which those of this source are added
 */
export function codesOf(code, texts) {
  const source = ts.createSourceFile('source.ts', code, ts.ScriptTarget.ES2022, true);
  /** @param {ts.Node} node @returns {string} */
  const textOf = (node) => {
    if (!ts.isTaggedTemplateExpression(node) || node.tag.getText() !== 'say') return childrenOf(node);
    const { template } = node;
    const spans = ts.isTemplateExpression(template) ? template.templateSpans : [];
    const first = ts.isTemplateExpression(template) ? template.head : template;
    const number = texts.push([first.text, ...spans.map(({ literal }) => literal.text)]) - 1;
    return ` say(${[number, ...spans.map(({ expression }) => childrenOf(expression))].join(', ')})`;
  };
  /** The text of a node, in which those inside it are replaced. @param {ts.Node} node @returns {string} */
  const childrenOf = (node) => {
    let text = '';
    let end = node.getFullStart();
    ts.forEachChild(node, (child) => {
      text += code.slice(end, child.getFullStart()) + textOf(child);
      end = child.getEnd();
    });
    return text + code.slice(end, node.getEnd());
  };
  return textOf(source);
}
