import { describe, expect, it } from 'vitest';
import { summariseClusters, tellingWords, wordShares } from './clusters.js';
import { splitControl } from './collect.js';
import { summariseTimings } from './timings.js';

describe('clusters', () => {
  // 2 × 2 pixels, planes R, G, B; the last pixel is ground.
  const red = [200, 200, 200, 255, 10, 10, 10, 255, 10, 10, 10, 255];
  const blue = [10, 10, 10, 255, 10, 10, 10, 255, 220, 220, 220, 255];
  const item = (caption: string, group: string, cluster: number, category: string) => ({
    caption,
    group,
    cluster,
    category,
  });
  const train = {
    pixels: Uint8Array.from([...red, ...blue, ...red]),
    manifest: {
      size: 2,
      clusters: 2,
      items: [
        item('red apple', 'a', 0, 'Food'),
        item('blue heart', 'b', 1, 'Symbols'),
        item('red heart', 'c', 0, 'Symbols'),
      ],
    },
  };

  it('counts, names, colours and shows what a cluster holds', async () => {
    const [first, second] = await summariseClusters(train, {
      ...train,
      manifest: { ...train.manifest, items: [train.manifest.items[1]!] },
    });
    expect(first).toMatchObject({ index: 0, train: 2, test: 0, words: ['red', 'apple'] });
    expect(first?.categories).toEqual([
      { name: 'Food', share: 0.5 },
      { name: 'Symbols', share: 0.5 },
    ]);
    expect(first?.colours).toEqual([{ css: 'rgb(200 10 10)', share: 1 }]);
    expect(first?.pictures.map((picture) => picture.caption)).toEqual(['red apple', 'red heart']);
    expect(first?.pictures[0]?.src).toMatch(/^data:image\/png;base64,iVBOR/);
    expect(second).toMatchObject({ index: 1, train: 1, test: 1, words: ['blue', 'heart'] });
  });

  it('prefers words that are rare elsewhere', () => {
    const all = wordShares([
      { caption: 'a face' },
      { caption: 'a cat' },
      { caption: 'a cat face' },
      { caption: 'a dog' },
    ]);
    expect(all.get('face')).toBe(0.5);
    expect(tellingWords(wordShares([{ caption: 'a cat' }, { caption: 'a cat face' }]), all)).toEqual(['cat']);
  });
});

describe('the split control', () => {
  it('passes where no emoji is on both sides', () => {
    const control = splitControl(
      [{ id: 'google/1f600.png' }, { id: 'twitter/1f44b-1f3ff.png' }],
      [{ id: 'google/2764-fe0f.png' }],
    );
    expect(control).toMatchObject({ passed: true, gate: true });
    expect(control.detail).toBe('2 emoji for training, 1 held out, 0 on both sides (none wanted)');
  });
  it.each([
    ['another vendor', 'google/1f44b.png', 'twitter/1f44b.png'],
    ['another skin tone', 'google/1f44b-1f3fb.png', 'google/1f44b-1f3ff.png'],
    ['a variation selector', 'google/2764-fe0f.png', 'twitter/2764.png'],
  ])('fails for %s of the same emoji', (_, train, test) => {
    expect(splitControl([{ id: train }], [{ id: test }]).passed).toBe(false);
  });
  it('fails where nothing is held out', () => {
    expect(splitControl([{ id: 'google/1f600.png' }], []).passed).toBe(false);
  });
});

describe('timings', () => {
  it('adds sessions up, counts what overlaps once and cuts pauses out', () => {
    const record = (...sessions: [number, number][]) => ({ args: [], complete: true, sessions });
    const timings = summariseTimings({
      prepare: record([1000, 3000]),
      'expert-00': record([3000, 8000], [100_000, 102_000]),
      'expert-11': record([3000, 6000]),
    });
    expect(timings).toEqual({
      totalSeconds: 9,
      interruptions: 1,
      tasks: [
        { id: 'prepare', label: 'prepare', seconds: 2, spans: [[0, 2]] },
        {
          id: 'expert-00',
          label: 'expert 0',
          seconds: 7,
          spans: [
            [2, 7],
            [7, 9],
          ],
        },
        { id: 'expert-11', label: 'expert 11', seconds: 3, spans: [[2, 5]] },
      ],
    });
  });
});
