// Isolation and continuation as facts about processes: bytes on disk after real commands on a real adapter.

import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { chooseAdapter } from '@paris/tensor/node';
import { requireCapability } from '@paris/test-tools';
import { readMetrics } from '@paris/trainer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeToyData } from '../../trainer/src/testing/toy.js';
import { type ParisOptions, paris } from './testing/paris.js';

let works = false;
let folder: string;
let data: string;
const tiny = [
  '--steps',
  '24',
  '--batch',
  '4',
  '--width',
  '16',
  '--depth',
  '1',
  '--heads',
  '2',
  '--checkpoint-every',
  '4',
  '--json',
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paris-isolation-'));
  data = join(folder, 'data');
  await writeToyData(nodeStore(data));
  works = (await chooseAdapter().catch(() => undefined)) !== undefined;
  if (works) await train(data, 'full'); // what the others are compared with
}, 300_000);
beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const train = (from: string, runs: string, options: ParisOptions = {}) =>
  paris(['train', 'expert', from, '--cluster', '1', '--out', join(folder, runs), ...tiny], options);
const file = (runs: string, name: string) => readFile(join(folder, runs, 'expert-01', name));

describe('an expert', { timeout: 120_000 }, () => {
  it('alone, with its own folder and no network, gets the same bytes', async (context) => {
    const wrapper = ['unshare', '--net'];
    const { status } = spawnSync(wrapper[0]!, [...wrapper.slice(1), 'true']);
    requireCapability(context, 'netns', status === 0, 'this system does not let us make a network namespace');
    const alone = join(folder, 'alone');
    await cp(join(data, 'clusters/01'), join(alone, 'clusters/01'), { recursive: true });
    const { code, stderr } = await train(alone, 'alone-runs', { wrapper });
    expect(code, stderr).toBe(0);
    expect(await file('alone-runs', 'model.safetensors')).toEqual(await file('full', 'model.safetensors'));
    expect(String(await file('alone-runs', 'run.json'))).not.toMatch(/clusters|expert-0[02]/);
  });

  it('that was killed and continued gets the same bytes, and no step twice', async () => {
    let killed = false;
    const first = await train(data, 'killed', {
      onEvent: (event, child) => {
        if (killed || event.type !== 'checkpoint') return;
        killed = true;
        process.kill(-child.pid!, 'SIGKILL'); // the group: the command and the process it watches
      },
    });
    expect(first.signal).toBe('SIGKILL');
    await expect(file('killed', 'model.safetensors')).rejects.toThrow('ENOENT');
    let from: number | undefined;
    const second = await train(data, 'killed', {
      onEvent: (event) => {
        if (event.type === 'start') from = event.step;
      },
    });
    expect(second.code, second.stderr).toBe(0);
    expect(from).toBeGreaterThan(0);
    expect(await file('killed', 'model.safetensors')).toEqual(await file('full', 'model.safetensors'));
    const store = nodeStore(join(folder, 'killed/expert-01'));
    expect((await readMetrics(store)).map((line) => line.step)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
    expect(await file('killed', 'metrics.jsonl')).toEqual(await file('full', 'metrics.jsonl'));
  });

  it('stops on Ctrl-C with a checkpoint and 130, and goes on with the same command', async () => {
    let asked = false;
    const first = await train(data, 'stopped', {
      onEvent: (event, child) => {
        if (asked || event.type !== 'progress') return;
        asked = true;
        child.kill('SIGINT');
      },
    });
    expect(first.stderr).toMatch(/stopped after step \d+ of 24; run the same command to resume\./);
    expect(first.code).toBe(130);
    const second = await train(data, 'stopped');
    expect(second.code, second.stderr).toBe(0);
    expect(await file('stopped', 'model.safetensors')).toEqual(await file('full', 'model.safetensors'));
  });

  it('is not trained again when it is finished, and not with other options', async () => {
    const again = await train(data, 'full');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('"alreadyDone":true');
    const other = await paris([
      'train',
      'expert',
      data,
      '--cluster',
      '1',
      '--out',
      join(folder, 'full'),
      ...tiny,
      '--seed',
      '5',
    ]);
    expect(other.code).toBe(78);
    expect(other.stderr).toContain(
      'expert-01 holds another run: seed was 0 and is now 5. Use the old value, or --fresh',
    );
  });
});
