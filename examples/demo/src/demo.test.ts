import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DemoContext, runStages } from './demo.js';
import { type DemoOptions, parseOptions } from './options.js';
import { Lines } from './run/progress.js';

const fake = fileURLToPath(new URL('./fixtures/fake-paris.mjs', import.meta.url));
interface Call {
  id: string;
  event: 'start' | 'end' | 'trained';
  at: number;
  args?: string[];
  from?: number;
  to?: number;
}

describe('the stages of the demo, with a stand-in for paris', () => {
  let folder: string;
  let said: string[];
  const options = (more: string[] = []): DemoOptions =>
    parseOptions(['--out', 'demo', '--limit', '12', '--clusters', '4', '--jobs', '2', '--steps', '6', ...more], folder);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paris-demo-'));
    said = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (given: DemoOptions, behaviour: object = {}, context: Partial<DemoContext> = {}) => {
    process.env.PARIS_FAKE = JSON.stringify({ calls: join(folder, 'calls.jsonl'), ...behaviour });
    const view = new Lines((line) => said.push(line));
    const signal = new AbortController().signal;
    return runStages(given, { paris: [process.execPath, fake], view, signal, ...context });
  };
  const calls = async (): Promise<Call[]> => {
    const text = await readFile(join(folder, 'calls.jsonl'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  const started = async () => (await calls()).filter((call) => call.event === 'start').map((call) => call.id);
  const inOrder = [
    'prepare',
    'partition',
    'expert-00',
    'expert-01',
    'expert-02',
    'expert-03',
    'router',
    'assemble',
    'evaluate',
    'sample',
    'sample', // of models/emoji
  ];

  it('runs every stage once, one process per expert, at most --jobs at once', async () => {
    // Long enough to overlap on a machine that is slow to start processes.
    expect(await run(options(), { stepMs: 150 })).toBeDefined();
    expect((await started()).sort()).toEqual([...inOrder].sort());
    let [running, most] = [0, 0];
    for (const { event } of await calls()) {
      if (event === 'start') running++;
      if (event === 'end') running--;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
    expect(said.filter((line) => line.startsWith('adapter:'))).toEqual(['adapter: none, this is a test']);
    expect(said).toContainEqual(expect.stringMatching(/^ {2}expert 2: 2\/6 {2}loss 0\.500 · 100 img\/s · 0:00 left$/));
  });

  it('gives each expert its own cluster and the options, and nothing else', async () => {
    await run(options(['--width', '32', '--seed', '7']));
    const expert = (await calls()).find((call) => call.id === 'expert-03');
    expect(expert?.args?.join(' ')).toBe(
      `train expert ${join(folder, 'demo/data')} --cluster 3 --out ${join(folder, 'demo/runs')} ` +
        '--steps 6 --batch 16 --learning-rate 0.02 --width 32 --depth 3 --heads 4 --patch 4 --seed 7 --json',
    );
  });

  it('does nothing the second time', async () => {
    await run(options());
    const first = (await started()).length;
    await run(options());
    expect((await started()).length).toBe(first);
  });

  it('stops on request with checkpoints and resumes from them, time added up', async () => {
    const stop = new AbortController();
    const view = new Lines(() => {});
    view.update = (_, { step }) => {
      if (step === 20) stop.abort();
    };
    const long = options(['--steps', '150']);
    expect(await run(long, {}, { signal: stop.signal, view })).toBeUndefined();
    const before = (await calls()).filter((call) => call.event === 'trained').length;
    expect(before).toBe(0);
    const stopped = JSON.parse(await readFile(join(folder, 'demo/demo.json'), 'utf8'));
    expect(stopped.tasks['expert-03'].sessions).toEqual([]); // it had not begun
    const ledger = await run(long);
    const trained = (await calls()).filter((call) => call.event === 'trained');
    expect(trained.map((call) => call.id).sort()).toEqual([
      'expert-00',
      'expert-01',
      'expert-02',
      'expert-03',
      'router',
    ]);
    const resumed = trained.filter((call) => call.from! > 0);
    expect(resumed.length).toBeGreaterThan(0);
    for (const { id } of resumed) expect(ledger?.tasks[id]?.sessions.length).toBe(2);
    expect((await started()).filter((id) => id === 'prepare')).toHaveLength(1);
  }, 300_000);

  it('names the stage that failed, with its own sentence, and stops the others with a checkpoint', async () => {
    const failing = run(options(['--steps', '300']), { fail: 'expert-01' });
    await expect(failing).rejects.toThrow(
      '[demo] train: expert 1 failed: [train] the loss of step 3 is NaN. Lower the learning rate. (log: logs/expert-01.log)',
    );
    expect((await calls()).filter((call) => call.event === 'trained')).toEqual([]);
    expect(await started()).not.toContain('assemble');
  });

  it('says so when a process is ended from outside', async () => {
    const crashing = run(options(['--steps', '50']), { crash: 'router' });
    await expect(crashing).rejects.toThrow('[demo] train: router failed: ended by SIGSEGV (log: logs/router.log)');
  });

  it('refuses other training options in the same folder, naming the difference', async () => {
    await run(options());
    await expect(run(options(['--steps', '9']))).rejects.toThrow(
      '[demo] expert-00 was made with --steps 6, now --steps 9. Use the same options, another --out, or --fresh.',
    );
  });

  it('samples again with other prompts, and trains nothing for it', async () => {
    await run(options());
    const first = (await started()).length;
    await run(options(['--prompts', 'owl; red heart']));
    expect((await started()).slice(first)).toEqual(['sample', 'sample']);
    expect((await calls()).findLast(({ event }) => event === 'start')?.args?.join(' ')).toContain(
      '--prompt owl --prompt red heart',
    );
  });

  it('makes again what is missing and all that depends on it', async () => {
    await run(options());
    const first = (await started()).length;
    await rm(join(folder, 'demo/runs/router/model.safetensors'));
    await run(options());
    expect((await started()).slice(first)).toEqual(['router', 'assemble', 'evaluate', 'sample', 'sample']);
  });

  it('touches no folder of somebody else, with --fresh or without', async () => {
    const demo = join(folder, 'demo');
    await mkdir(join(demo, 'photos'), { recursive: true });
    await writeFile(join(demo, 'photos/mine.png'), 'a photograph');
    for (const more of [[], ['--fresh']]) {
      await expect(run(options(more))).rejects.toThrow(
        `[demo] ${demo} holds photos and is not a folder of the demo. Give a new or an empty --out.`,
      );
    }
    await writeFile(join(demo, 'demo.json'), '{"name": "of another program"}');
    for (const more of [[], ['--fresh']]) {
      await expect(run(options(more))).rejects.toThrow(
        `[demo] ${demo} holds demo.json and is not a folder of the demo.`,
      );
    }
    expect(await readdir(folder)).toEqual(['demo']);
    expect((await readdir(demo, { recursive: true })).sort()).toEqual(['demo.json', 'photos', 'photos/mine.png']);
  });

  it('moves nothing aside with --fresh while a file of somebody else is among its own', async () => {
    await run(options());
    const demo = join(folder, 'demo');
    await writeFile(join(demo, 'notes.txt'), 'mine');
    await run(options()); // does not mind it
    await expect(run(options(['--fresh']))).rejects.toThrow(
      `[demo] ${join(demo, 'notes.txt')} is not the demo's. Move it elsewhere before --fresh moves the rest.`,
    );
    expect(existsSync(join(folder, 'demo-1'))).toBe(false);
    expect(await readFile(join(demo, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('moves an earlier run aside with --fresh', async () => {
    await run(options());
    await run(options(['--fresh', '--steps', '9']));
    expect(existsSync(join(folder, 'demo-1/demo.json'))).toBe(true);
    expect(said).toContain(`The earlier run is now in ${join(folder, 'demo-1')}.`);
  });
});
