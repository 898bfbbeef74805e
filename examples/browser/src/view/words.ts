// Which words the model knows: some to choose from, and those of the prompt that mean nothing to it.
import { promptWords } from '@paris/model';
import type { ModelInfo, Vocabulary } from '../engine/engine.js';
import { find, make } from './dom.js';

/** Words that make no picture, and the marks that every vocabulary begins with. */
const FILLERS = /^(<.*>|a|an|and|at|by|for|from|in|no|of|on|one|or|out|slightly|the|to|up|with)$/;
const CHIPS = 18;

const prompt = find<HTMLInputElement>('#prompt');
const unknown = find('#unknown');
const chips = find('#words');

let vocabulary: Vocabulary | null = null;
let words: readonly string[] = [];

/** Shows a model's words; the first prompt is made of two of them. */
export function showWords(model: ModelInfo): void {
  vocabulary = model.vocabulary;
  // Vocabularies begin with their most frequent words: what the model has seen most, and draws best.
  words = vocabulary?.words.filter((word) => !FILLERS.test(word)) ?? model.labels?.map(firstName) ?? [];
  find('label[for=prompt]').textContent = model.labels ? 'Class' : 'Prompt';
  if (prompt.value === '' || (model.labels && !words.includes(prompt.value))) prompt.value = firstPrompt(model);
  chips.hidden = words.length === 0;
  chips.replaceChildren(
    ...words.slice(0, CHIPS).map((word) => {
      const chip = make('button', { type: 'button', onclick: () => toggle(word) }, word);
      chip.dataset.word = word;
      return chip;
    }),
    make('button', { type: 'button', id: 'surprise', onclick: surprise }, 'Surprise me'),
  );
  check();
}

prompt.addEventListener('input', check);

/** A class may have several names, with commas between them. */
export function firstName(label: string): string {
  return label.split(',')[0]!;
}

function firstPrompt({ labels }: ModelInfo): string {
  if (labels) return words[0] ?? '';
  return words.length > 1 ? `${words[1]} ${words[0]}` : (words[0] ?? '');
}

function surprise(): void {
  const any = () => words[Math.floor(Math.random() * words.length)]!;
  set(vocabulary ? `${any()} ${any()}` : any());
  prompt.form?.requestSubmit();
}

/** Adds a word to the prompt, or takes it out. A class is chosen alone. */
function toggle(word: string): void {
  const all = vocabulary ? prompt.value.split(/\s+/).filter((each) => each !== '') : [];
  set((all.includes(word) ? all.filter((each) => each !== word) : [...all, word]).join(' '));
}

function set(text: string): void {
  prompt.value = text;
  check();
}

function check(): void {
  const said = vocabulary ? promptWords(prompt.value, { version: 1, ...vocabulary }) : undefined;
  const quoted = (some: readonly string[]) => some.map((word) => `“${word}”`).join(', ');
  unknown.textContent = [
    said && said.unknown.length > 0 ? `The model does not know ${quoted(said.unknown)}.` : '',
    said && said.cut.length > 0 ? `It does not read as far as ${quoted(said.cut)}.` : '',
  ]
    .filter(Boolean)
    .join(' ');
  for (const chip of chips.querySelectorAll<HTMLElement>('[data-word]')) {
    const isChosen = said ? said.known.includes(chip.dataset.word!) : prompt.value === chip.dataset.word;
    chip.setAttribute('aria-pressed', String(isChosen));
  }
}
