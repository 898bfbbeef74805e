// The model card says what the index, the runs and the evaluation say, and nothing that they do not.
import { memoryStore, writeJson } from '@paris/files';
import type { ModelIndex } from '@paris/model';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../run/record.js';
import { modelCard } from './card.js';
import { readCardCondition } from './condition.js';
import { readCardEvaluation } from './evaluation.js';

const index: ModelIndex = {
  format: 'paris-model',
  version: 1,
  clusters: 8,
  latent: { channels: 3, height: 32, width: 32 },
  path: 'linear',
  routing: 'top2',
  codec: 'identity',
  weights: 'q8',
  licence: 'Apache-2.0 AND MIT',
  provenance: {
    licences: 'Apache-2.0 (7 pictures), MIT (5 pictures)',
    sources: 'Noto Emoji',
    software: '@paris/cpu 0.1.0',
  },
  files: [{ path: 'experts/00/model.safetensors', sizeBytes: 2_500_000, sha256: '0'.repeat(64) }],
};
const run: RunRecord = {
  version: 1,
  kind: 'expert',
  cluster: 3,
  status: 'finished',
  options: { batchSize: 16 },
  data: { sha256: '0'.repeat(64), count: 276 },
  versions: {},
  adapters: [{ fromStep: 0, fingerprint: 'x', name: 'Paris on WebAssembly' }],
  result: { steps: 1500, loss: 0.1, seconds: 600, imagesPerSecond: 40, sha256: 'ab'.repeat(32) },
};
const estimate = { mean: 0.25, standardError: 0.0125 };
const pictures = (pValue: number) => ({
  ...{ count: 64, heldOut: 72, encoder: 'statistics' },
  model: { kernel: estimate, density: 0.5, coverage: 0.75 },
  floor: { kernel: estimate, density: 1, coverage: 0.9 },
  copying: { nearer: 0.875, pValue },
});
const evaluation = {
  ...{ count: 72, clusters: 8 },
  router: { accuracy: 0.625, calibrationError: 0.05, majorityShare: 0.2 },
  losses: { policies: { top2: estimate }, oracle: estimate, experts: [estimate], bestExpert: 0 },
};

const frontMatter = (card: string): string[] => card.split('---\n')[1]!.trim().split('\n');

describe('modelCard', () => {
  it('opens with what hubs read', () => {
    expect(frontMatter(modelCard({ name: 'me/cats', index }))).toEqual([
      'license: other',
      'license_name: "Apache-2.0 AND MIT"',
      'library_name: paris',
      'pipeline_tag: text-to-image',
      'tags:',
      '  - paris',
      '  - decentralized-diffusion',
      '  - mixture-of-experts',
    ]);
    const one = frontMatter(modelCard({ name: 'me/cats', index: { ...index, licence: 'CC-BY-4.0' } }));
    expect(one.slice(0, 2)).toEqual(['license: cc-by-4.0', 'library_name: paris']);
  });

  it('says what the index says, and of runs and evaluation nothing if there are none', () => {
    const card = modelCard({ name: 'me/cats', index });
    expect(card).toContain('npx @paris/cli sample hf:me/cats --prompt');
    expect(modelCard({ name: 'me/cats', branch: 'v2', index })).toContain('sample hf:me/cats@v2 --prompt');
    expect(card).toContain('8 experts, each trained alone');
    expect(card).toContain('and takes 2.5 MB. Their matrices have 8 bits a number.');
    expect(card).toContain('paris/cli sample hf:me/cats');
    expect(card).toContain('- licences: Apache-2.0 (7 pictures), MIT (5 pictures)');
    expect(card).toContain('was not evaluated for this card');
    expect(card).not.toMatch(/## (Training|Evaluation)/);
  });

  it('says what can be asked for: words that are listed, classes, or nothing that is not known', () => {
    const words = modelCard({ name: 'me/cats', index, condition: 'tokens' });
    expect(words).toContain('\nnpx @paris/cli info my-model/ --words     # the words that it knows');
    expect(words).toContain('\n- It knows the words of its captions and no others; `paris info` lists them.\n');
    const classes = modelCard({ name: 'me/cats', index, condition: 'label' });
    expect(classes).toContain('\n- It draws the classes that it learned and no others: a prompt is the number of one');
    for (const condition of ['label', 'embeddings', 'none', undefined] as const) {
      expect(modelCard({ name: 'me/cats', index, condition })).not.toMatch(/words|captions/);
    }
  });

  it('is told what a model is asked with by its first expert and its list of words', async () => {
    const store = memoryStore();
    const read = async (config: object) => {
      await writeJson(store, 'experts/01/config.json', config);
      return readCardCondition(store, { clusters: 3, absent: [0] });
    };
    for (const kind of ['label', 'embeddings', 'none']) expect(await read({ condition: { kind } })).toBe(kind);
    for (const config of [{ condition: { kind: 'tokens' } }, {}]) expect(await read(config)).toBeUndefined();
    await writeJson(store, 'text/vocabulary.json', {});
    for (const config of [{ condition: { kind: 'tokens' } }, {}]) expect(await read(config)).toBe('tokens');
    await expect(readCardCondition(store, { clusters: 1 })).rejects.toThrow('experts/00/config.json is missing');
  });

  it('has a row for each run, with the time of all', () => {
    const router: RunRecord = { ...run, kind: 'router', cluster: undefined };
    const card = modelCard({ name: 'me/cats', index, runs: [run, router] });
    expect(card).toContain('20 min in all, one run after another, on Paris on WebAssembly.');
    expect(card).toContain('| expert 3 | 276 | 1500 × 16 | 10 min | `abababababababab` |');
    expect(card).toContain('| router | 276 |');
    expect(card).toContain(
      'The options of expert 3, as its `run.json` records them:\n\n```json\n{\n  "batchSize": 16\n}\n```',
    );
    expect(card).toContain('The options of the router');
  });

  it('shows the measurements of evaluation.json, and admits copying', async () => {
    const store = memoryStore();
    for (const [pValue, verdict] of [
      [1e-9, 'the model copies what it learned.'],
      [0.4, 'no sign of copying.'],
    ] as const) {
      await writeJson(store, 'evaluation.json', { ...evaluation, version: 1, pictures: pictures(pValue), times: [] });
      const read = await readCardEvaluation(store, 'evaluation.json');
      const card = modelCard({ name: 'me/cats', index, evaluation: read });
      expect(card).toContain('names the cluster in 63 % of the cases');
      expect(card).toContain('| top2 | 0.2500 | 0.0125 |');
      expect(card).toContain('| drawn | 0.250 ± 0.013 | 0.50 | 0.75 |');
      expect(card).toContain(`p = ${pValue.toPrecision(2)}: ${verdict}`);
      expect(card.includes('- It copies:')).toBe(pValue < 0.01);
    }
    await writeJson(store, 'evaluation.json', { count: 3 });
    await expect(readCardEvaluation(store, 'evaluation.json')).rejects.toThrow('evaluation.json');
  });

  it('lets no text of a model leave its place', () => {
    const hostile = 'x\n---\n# a\n| b | <script> [link](http://example.org) `code`';
    const card = modelCard({
      name: hostile,
      index: { ...index, licence: hostile, provenance: { [hostile]: hostile } },
    });
    expect(frontMatter(card)).toContain(`license_name: ${JSON.stringify(hostile.replaceAll('\n', ' '))}`);
    expect(card.split('\n').filter((line) => line === '---')).toHaveLength(2);
    expect(card.split('\n---\n').at(-1)).not.toMatch(/(^|[^\\])<script|^# a/m);
  });
});
