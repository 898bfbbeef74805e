// Sentences of errors. Most programs never read one, so the build (sentences.js next to src/) keeps them in a chunk of their
// own and leaves a code in the place of each: its number and its operands. Only what reaches a program by a promise or an
// event is said like this, since the chunk has to be loaded first.

/** A sentence; in the built package, its code. Sentences may be parts of others. */
export function say(sentence: TemplateStringsArray | number, ...operands: readonly unknown[]): string {
  if (typeof sentence !== 'number') return String.raw({ raw: sentence }, ...operands);
  let code = `\uFDD0${sentence}`;
  for (const operand of operands) code += `\uFDD1${operand}`;
  return `${code}\uFDD2`;
}

/** The message with a sentence for each code in it; a promise only if there is one. Never rejects. */
export function spell(message: string): string | Promise<string> {
  return message.includes('\uFDD0') ? spellCodes(message) : message;
}

async function spellCodes(message: string): Promise<string> {
  // A chunk that cannot be loaded must not hide the error.
  const { sentences } = await import('./sentences.js').catch(() => ({ sentences: [] }));
  return withSentences(message, sentences);
}

/** @param sentences - by number: what stands before, between and after the operands */
export function withSentences(message: string, sentences: readonly (readonly string[])[]): string {
  // Innermost first: an operand has no code in it then.
  const code = /\uFDD0(\d+)\uFDD1?([^\uFDD0\uFDD2]*)\uFDD2/;
  let text = message;
  for (let match = code.exec(text); match; match = code.exec(text)) {
    const [all, number, operands] = match;
    const sentence = sentences[Number(number)];
    const said = sentence
      ? String.raw({ raw: sentence }, ...operands!.split('\uFDD1'))
      : `error ${number} (${operands!.split('\uFDD1').join(', ')}), whose text could not be loaded`;
    text = text.replace(all, () => said);
  }
  return text;
}
