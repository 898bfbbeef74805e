// The form, as a request and back.
import type { DrawRequest, ModelInfo, Move, Start } from '../engine/engine.js';
import { find, make } from './dom.js';
import { firstName } from './words.js';

/** What the form says: one request, or one for each policy that is compared. */
export interface Settings {
  readonly request: DrawRequest;
  /** Policies that each draw the seed's picture; empty: nothing is compared. */
  readonly compared: readonly string[];
}

type Control = HTMLInputElement | HTMLSelectElement;

const form = find<HTMLFormElement>('#draw');
const control = (name: string) => form.elements.namedItem(name) as Control;
const box = (name: string) => control(name) as HTMLInputElement;

/** Numbers that may be left out. */
const OPTIONAL = new Set(['variationSeed', 'autoguidance']);

box('compare').onchange = showCompared;
/** Of the variation that is varied; what the form has no field for. */
let moves: readonly Move[] = [];
for (const name of ['seed', 'picture']) box(name).addEventListener('input', () => showMoves([]));
find('#moves-forget').onclick = () => showMoves([]);
find('#dice').onclick = () => {
  box('seed').value = String(anySeed());
  showMoves([]);
};

export function anySeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
}

/** Offers what a model has. What was chosen stays if there is such a thing. */
export function offer({ samplers, schedules, maxSteps, maxPictures, routing, labels, autoguidance }: ModelInfo): void {
  fill(control('sampler') as HTMLSelectElement, samplers, 'euler');
  fill(control('schedule') as HTMLSelectElement, schedules, 'uniform');
  box('steps').max = String(maxSteps);
  box('count').max = String(maxPictures);
  if (Number(box('count').value) > maxPictures) box('count').value = String(maxPictures);
  box('routing').placeholder = routing;
  find('#autoguided').hidden = !autoguidance;
  find('#labels').replaceChildren(...(labels ?? []).map((value) => make('option', { value: firstName(value) })));
}

function fill(select: HTMLSelectElement, names: readonly string[], usual: string): void {
  const chosen = select.value || usual;
  select.replaceChildren(...names.map((name) => make('option', { value: name }, name)));
  if (names.includes(chosen)) select.value = chosen;
}

/** Calls back a moment after the form was changed, if drafts are wanted. */
export function onDraft(draw: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  form.addEventListener('input', () => {
    clearTimeout(timer);
    if (box('drafts').checked) timer = setTimeout(draw, 250);
  });
}

/** A request that is drawn quickly: its first picture, in a few steps. */
export function draftOf({ request }: Settings): Settings {
  return { request: { ...request, count: 1, steps: Math.min(request.steps, 8) }, compared: [] };
}

/** What is wrong with the form, as a sentence; its field gets the focus. Empty: nothing. */
export function fault(): string {
  for (const each of form.elements) {
    if (!(each instanceof HTMLInputElement || each instanceof HTMLSelectElement)) continue;
    const isEmpty = each.type === 'number' && each.value === '' && !OPTIONAL.has(each.name);
    if (each.validity.valid && !isEmpty) continue;
    for (let around = each.closest('details'); around; around = around.parentElement?.closest('details') ?? null)
      around.open = true;
    each.focus();
    const name = (each.labels?.[0]?.firstChild?.textContent ?? each.name).trim();
    return `${name}: ${isEmpty ? 'give a number.' : each.validationMessage}`;
  }
  if (box('compare').checked && listed().length === 0) return 'Policies to compare: name one at least, such as top1.';
  return '';
}

/** The form as it is. `start` is what is painted and dropped elsewhere. */
export function read(start: Omit<Start, 'strength'> | undefined): Settings {
  const text = (name: string) => control(name).value;
  const number = (name: string) => Number(text(name));
  const compared = box('compare').checked ? listed() : [];
  const request: DrawRequest = {
    prompt: text('prompt').trim(),
    negativePrompt: text('negativePrompt').trim(),
    seed: number('seed'),
    picture: number('picture'),
    count: number('count'),
    steps: number('steps'),
    sampler: text('sampler'),
    schedule: text('schedule'),
    guidance: {
      scale: number('scale'),
      start: number('guidanceStart'),
      stop: number('guidanceStop'),
      rescale: number('rescale'),
      kind: text('kind') === 'apg' ? 'apg' : 'cfg',
    },
    ...(text('autoguidance') !== '' && !find('#autoguided').hidden && { autoguidance: number('autoguidance') }),
    routing: text('routing').trim(),
    ...(moves.length > 0 && { moves }),
    ...(text('variationSeed') !== '' && {
      variation: { seed: number('variationSeed'), strength: number('variationStrength') },
    }),
    ...(start && { start: { ...start, strength: number('strength') } }),
  };
  return { request, compared };
}

/** Puts earlier settings into the form, for "again". */
export function write({ request, compared }: Settings): void {
  const { guidance, variation, start } = request;
  const values: Record<string, string | number> = {
    ...{ prompt: request.prompt, negativePrompt: request.negativePrompt, seed: request.seed, picture: request.picture },
    ...{ count: request.count, steps: request.steps, sampler: request.sampler, schedule: request.schedule },
    ...{ routing: request.routing, kind: guidance.kind, scale: guidance.scale, rescale: guidance.rescale },
    autoguidance: request.autoguidance ?? '',
    ...{ guidanceStart: guidance.start, guidanceStop: guidance.stop, variationSeed: variation?.seed ?? '' },
    ...(variation && { variationStrength: variation.strength }),
    ...(start && { strength: start.strength }),
    ...(compared.length > 0 && { policies: compared.join(', ') }),
  };
  for (const [name, value] of Object.entries(values)) control(name).value = String(value);
  showMoves(request.moves ?? []);
  box('strength').dispatchEvent(new Event('input'));
  box('prompt').dispatchEvent(new Event('input'));
  box('compare').checked = compared.length > 0;
  showCompared();
}

function showMoves(these: readonly Move[]): void {
  moves = these;
  find('#moves').hidden = moves.length === 0;
  find('#moves-path').textContent = moves
    .map(({ seed, picture, strength }) => `picture ${picture} of seed ${seed} (${strength})`)
    .join(', then ');
}

function showCompared(): void {
  find('#compared').hidden = !box('compare').checked;
}

function listed(): string[] {
  return box('policies')
    .value.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
