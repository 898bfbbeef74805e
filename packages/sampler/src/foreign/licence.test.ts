import { memoryStore } from '@paris/files';
import { describe, expect, it } from 'vitest';
import { licenceOf, saidLicence } from './licence.js';

const of = (matter: string) =>
  licenceOf(memoryStore({ 'README.md': new TextEncoder().encode(`---\n${matter}\n---\n# A toy\n\nlicense: none\n`) }));

describe('the licence of a model card', () => {
  it.each([
    ['license: mit', 'mit'],
    ['tags:\n- toy\nlicense: "mit"\nlanguage: en', 'mit'],
    ['license: mit # as its parts', 'mit'],
    ["license: 'a # b' # c", 'a # b'],
    ['license:\n- cc-by-nc-4.0', 'cc-by-nc-4.0'],
    ['license: # two\n  - mit # one\n  - "cc-by-nc-4.0"\ntags:\n- toy', 'mit AND cc-by-nc-4.0'],
    ['license: [mit, cc-by-nc-4.0]', 'mit AND cc-by-nc-4.0'],
    [
      'license: other\nlicense_name: >\n  Toy licence\n  for research only\nlicense_link: x',
      'other: Toy licence for research only',
    ],
    ['license: other\nlicense_name: |-\n  Toy #1', 'other: Toy #1'],
    ['license:\n- other\n- mit\nlicense_name: toy # x', 'other: toy AND mit'],
    ["license: Bob's own", "Bob's own"],
    ['license: other', 'other'],
    ['license:\ntags:\n- toy', 'not stated by its source'],
    ['license_name: toy', 'not stated by its source'],
    ['license: # none', 'not stated by its source'],
  ])('%j', async (matter, licence) => {
    expect(await of(matter)).toBe(licence);
    expect(await of(matter.replaceAll('\n', '\r\n'))).toBe(licence);
  });

  it('says that a list forbids commercial use', async () => {
    expect(saidLicence(await of('license:\n- mit\n- cc-by-nc-4.0'))).toBe(
      'Its licence: mit AND cc-by-nc-4.0. It is for NonCommercial use only.',
    );
  });
});
