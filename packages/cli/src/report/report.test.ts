// The page of runs: its curves are the files', it stands alone, nothing of a file becomes markup, and what is damaged is said.
import { get } from 'node:http';
import { folderStore, memoryStore } from '@paris/files';
import { encodePng } from '@paris/sampler';
import { describe, expect, it } from 'vitest';
import { pinned } from '../../../trainer/src/pinned/sums.testing.js';
import { lineChart } from './chart.js';
import { reportPage } from './report.js';
import { watchReport } from './watch.js';

const encode = (text: string) => new TextEncoder().encode(text);
const lines = (rows: readonly object[]) => encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const evil = '</td><script src="//x">';

/** The recorded runs, with what their training would have written with validation, samples and a long life. */
async function runs() {
  const store = memoryStore();
  const from = folderStore(pinned, 'runs');
  for (const path of await from.list()) await store.write(path, await from.read(path));
  const steps = [2, 4, 6];
  await store.write(
    'expert-00/validation.jsonl',
    lines(steps.flatMap((step) => [0.25, 0.75].map((time) => ({ step, time, loss: time / step })))),
  );
  await store.write('expert-00/samples/00000006.png', encodePng({ width: 2, height: 1, data: new Uint8Array(6) }));
  const file = 'samples/00000006.png';
  await store.write(
    'expert-00/samples.jsonl',
    lines([
      { step: 6, file, prompts: ['a cat', evil], seed: 0, guidance: 2 },
      { step: 7, file: '../../secret.png', prompts: ['no'], seed: 0, guidance: 2 },
    ]),
  );
  const time = '2026-01-02T03:04:05.000Z';
  await store.write(
    'expert-00/log.jsonl',
    lines([
      { step: 0, time, adapter: 'one' },
      { step: 3, time, imagesPerSecond: 12.5, waiting: 0.01, deviceBytes: 3e6, hostBytes: 9e6 },
      { step: 3, time, checkpointBytes: 2e6, checkpointSeconds: 0.5 },
      { step: 3, time, adapter: 'one' },
    ]),
  );
  return store;
}

describe('the report', () => {
  it('has each run, its curves, its samples and its checkpoints', async () => {
    const page = await reportPage(await runs(), 'runs/');
    expect(page.match(/<h2>(.*?)<\/h2>/g)).toEqual(
      ['expert-00', 'expert-01', 'router'].map((name) => `<h2>${name}</h2>`),
    );
    const [expert, , router] = page.split('<h2>').slice(1) as [string, string, string];
    for (const title of [
      'Loss',
      'Held-out loss by noise level',
      'Gradient norm, before clipping',
      'Learning rate',
      'Memory, MB',
    ]) {
      expect(expert).toContain(`aria-label="${title}"`);
    }
    expect(expert).toContain('finished: 6 steps in');
    expect(expert).toContain('begun or resumed 2 times');
    expect(expert).toMatch(
      /<td>3<\/td><td>2026-01-02T03:04:05.000Z<\/td><td>2.0 MB<\/td><td>0.5 s<\/td><td>4 MB\/s<\/td>/,
    );
    expect(expert.match(/<img src="data:image\/png;base64,/g)).toHaveLength(1);
    expect(router).toContain('aria-label="Accuracy"');
    expect(router).not.toContain('Samples over time');
  });

  it('stands alone, and lets nothing be markup', async () => {
    const page = await reportPage(await runs(), '<runs>');
    expect(page).not.toMatch(/<script|<link|@import|url\(|<runs>|http-equiv|secret/);
    expect(page).toContain('&#60;/td&#62;&#60;script src=&#34;//x&#34;&#62;');
    expect(await reportPage(await runs(), '<runs>')).toBe(page);
  });

  it('takes one run, and one that has only begun', async () => {
    const store = await runs();
    expect(await reportPage(folderStore(store, 'expert-00'), 'one')).toContain('<h2>Run</h2>');
    await store.remove('router/metrics.jsonl');
    await store.append('expert-01/metrics.jsonl', '{"step": 7, "lo');
    expect(await reportPage(store, 'runs')).toContain('<h2>router</h2>');
  });

  it('says what cannot be read', async () => {
    const store = await runs();
    for (const bytes of [5 * 2 ** 20, 0]) {
      if (bytes > 0) await store.write('expert-00/samples/00000006.png', new Uint8Array(bytes));
      else await store.remove('expert-00/samples/00000006.png');
      const why = '<td>samples/00000006.png is not shown: it is missing, or has more than 4 MiB</td>';
      expect(await reportPage(store, 'runs')).toContain(why);
    }
    await store.write('router/run.json', encode('{"version": 1'));
    const page = await reportPage(store, 'runs');
    expect(page).toMatch(/<h2>router<\/h2>\s*<p class="failed">.*run\.json.*<\/p>/);
    expect(page).toContain('finished: 6 steps in');
    await expect(reportPage(memoryStore(), 'nowhere')).rejects.toThrow(
      '[report] nowhere holds no run: there is no run.json. Give the folder that paris train writes to.',
    );
  });
});

describe('a chart', () => {
  const points = (count: number, y: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => [i + 1, y(i)] as const);
  const chart = (series: readonly (readonly [number, number])[], more = {}) =>
    lineChart({ title: 'T', series: [{ name: 's', points: series }], ...more })?.markup;

  it('places points between its axes', () => {
    const drawn = chart([
      [0, 0],
      [10, 10],
    ])!;
    expect(drawn).toContain('points="64.0,204.0 616.0,10.0"');
    for (const tick of [0, 2, 4, 6, 8, 10]) expect(drawn).toContain(`text-anchor="end">${tick}</text>`);
  });

  it('draws many points as means with a band, and few as they are', () => {
    const many = chart(points(100_000, (i) => Math.sin(i)))!;
    expect(many.length).toBeLessThan(20_000);
    expect(many).toContain('class="band c0"');
    expect(chart(points(240, (i) => i))).not.toContain('class="band');
  });

  it('leaves out what cannot be drawn, and does without anything', () => {
    expect(chart([])).toBeUndefined();
    expect(chart([[1, Number.NaN]])).toBeUndefined();
    expect(chart([[1, -1]], { logarithmic: true })).toBeUndefined();
    for (const value of [0, 5, -3, 1e-9, 1e12]) expect(chart([[1, value]])).toMatch(/cx="[\d.]+" cy="[\d.]+"/);
    expect(
      chart(
        [
          [1, 0.02],
          [2, 0.02],
        ],
        { logarithmic: true },
      ),
    ).not.toContain('NaN');
  });
});

describe('the live report', () => {
  const load = (url: string, headers = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      get(url, { headers }, (response) => {
        let text = '';
        response.on('data', (part) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode!, text }));
      }).on('error', reject);
    });

  it('shows the files as they are now, on this machine alone', async () => {
    const store = await runs();
    const watched = await watchReport(folderStore(store, 'expert-00'), 'expert-00');
    try {
      expect(watched.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
      const first = await load(watched.url);
      expect(first.status).toBe(200);
      expect(first.text).toContain('<meta http-equiv="refresh" content="5">');
      await store.append(
        'expert-00/log.jsonl',
        '{"step":9,"time":"later","checkpointBytes":1000000,"checkpointSeconds":1}\n',
      );
      expect((await load(watched.url)).text).toContain('<td>later</td>');
      expect((await load(watched.url, { host: 'evil.example' })).status).toBe(403);
      expect((await load(`${watched.url}run.json`)).status).toBe(404);
      await store.remove('expert-00/run.json');
      expect(await load(watched.url)).toMatchObject({ status: 503 });
    } finally {
      watched.close();
    }
    await expect(load(watched.url)).rejects.toThrow();
  });
});
