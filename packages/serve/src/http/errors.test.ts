import { ValueError } from '@paris/tensor';
import { expect, it } from 'vitest';
import { apiError, clientLeft } from './errors.js';

it.each([
  ['generate', 'guidance.stop is 2. Give a share.', 'guidance'],
  ['generate', 'negativePrompt: there is no class "x". Give a number.', 'negative_prompt'],
  ['generate', 'label: there is no class "x". Give a number.', 'prompt'],
  ['generate', 'variation.strength is 2. Give a share from 0 to 1.', 'variation'],
  ['generate', 'image is 4×4, and the model draws 8×8. Resize it.', 'image'],
  ['top', 'asked for 9 experts of 3. Ask for no more than there are.', 'routing'],
  ['schedule', 'no schedule is called "x". Known: uniform.', 'schedule'],
  ['generate', 'the pipeline was closed. Load the model again.', null],
])('%s: %s is of the field %s', (tag, message, param) => {
  const { status, details } = apiError(new ValueError(tag, message));
  expect([status, details.param ?? null]).toEqual([400, param]);
});

it('a message says the name of the field', () => {
  expect(apiError(new ValueError('generate', 'negativePrompt: no.')).message).toBe('negative_prompt: no.');
});

it('what was aborted by others than the client is no client that left', () => {
  expect(apiError(clientLeft()).status).toBe(499);
  expect(apiError(new DOMException('The server stops loading.', 'AbortError')).status).toBe(500);
});
