import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { CheckpointError, notFound } from './errors.js';
import { parseJson } from './json.js';

it('an error quotes names without obeying them, however it is printed', () => {
  const name = 'a\u001b]52;c;aGk=\u0007\u202e.png';
  const error = notFound(name);
  expect(error.message).toBe(
    '[store] there is no file "a\\u001b]52;c;aGk=\\u0007\\u202e.png". Check the path, or make the file first.',
  );
  expect(error.stack).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  expect(new CheckpointError('read', 'two\nlines\r').message).toBe('[read] two\nlines\\r');
});

it('nor does a cause quote a file as it is, where Node prints it', () => {
  const origin = { tag: 'read', path: 'config.json' };
  const failed = (() => {
    try {
      return parseJson('{"a": \u001b]52;c;aGk=\u0007\u202e}', origin);
    } catch (error) {
      return error;
    }
  })();
  expect(inspect(failed)).toContain('config.json is not JSON');
  expect(inspect(failed)).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
});
