import { expect, it } from 'vitest';
import { describeIssue, type SchemaIssue } from './issue.js';

const json = { depth: '2', size: 0, list: [1.5], far: 'x'.repeat(100), sum: 7 };
const issue = (path: PropertyKey[], more: Partial<SchemaIssue>) => ({ message: 'Invalid input', path, ...more });

it.each<[SchemaIssue, string]>([
  [issue(['depth'], { code: 'invalid_type', expected: 'int' }), 'depth must be a whole number, got "2"'],
  [issue(['width'], { code: 'invalid_type', expected: 'int' }), 'width is missing'],
  [issue(['a', 'b'], { code: 'invalid_type', expected: 'int' }), 'a.b is missing'],
  [
    issue([], { code: 'invalid_type', expected: 'array' }),
    'it must be a list, got {"depth":"2","size":0,"list":[1.5],"far":"xxxxxxxxxxxxxxxxxx…',
  ],
  [issue(['size'], { minimum: 0, inclusive: false, origin: 'number' }), 'size must be more than 0, got 0'],
  [issue(['sum'], { maximum: 5, inclusive: true, origin: 'number' }), 'sum must be 5 or less, got 7'],
  [issue(['list', 0], { code: 'invalid_type', expected: 'int' }), 'list.0 must be a whole number, got 1.5'],
  [issue(['list'], { minimum: 2, inclusive: true, origin: 'array' }), 'list must be a list of at least 2, got [1.5]'],
  [issue(['depth'], { values: ['a', 1] }), 'depth must be "a" or 1, got "2"'],
  [issue(['inner'], { keys: ['x', 'y'] }), 'inner.x is not known; inner.y is not known'],
  [issue(['sum'], { code: 'custom', message: 'it is odd' }), 'sum: it is odd'],
])('%j', (given, expected) => expect(describeIssue(given, json)).toBe(expected));
