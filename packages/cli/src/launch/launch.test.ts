// A plan as a graph of commands, and its jobs on this machine: order, what runs at once, what is tried again and what is not.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeToyData } from '../../../trainer/src/testing/toy.js';
import { launchCommand } from '../commands/launch.js';
import { type JobState, type LaunchLocalOptions, launchLocal } from './local.js';
import { readPlan } from './plan.js';
import { writeScripts } from './write-scripts.js';

const base = await mkdtemp(join(tmpdir(), 'paris-launch-'));
afterAll(() => rm(base, { recursive: true }));
const data = join(base, 'data');
await writeToyData(nodeStore(data));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(base, 'case-'));
});

async function planFile(more = ''): Promise<string> {
  const file = join(folder, 'model.yaml');
  await writeFile(file, `data: ${data}\nruns: ${folder}/runs\nmodel: ${folder}/model\n${more}`);
  return file;
}

describe('readPlan', () => {
  it('is an expert for each cluster, the router, and what needs them', async () => {
    const file = await planFile('expert:\n  steps: 7\nrouter: { condition: words }\nassemble: { routing: top1 }\n');
    const { experts, others } = await readPlan(file);
    const jobs = [...experts, ...others];
    const [runs, model] = [join(folder, 'runs'), join(folder, 'model')];
    expect(experts).toHaveLength(3);
    expect(jobs.map(({ id, after }) => [id, after])).toEqual([
      ...['expert-00', 'expert-01', 'expert-02', 'router'].map((id) => [id, []]),
      ['assemble', ['expert-00', 'expert-01', 'expert-02', 'router']],
      ['evaluate', ['assemble']],
    ]);
    expect(jobs[2]!.args.join(' ')).toBe(`train expert ${data} --cluster 2 --out ${runs} --config ${file}#expert`);
    expect(jobs[4]!.args.join(' ')).toBe(`assemble ${runs} --data ${data} --out ${model} --routing top1`);
    expect(jobs[5]!.args.join(' ')).toBe(`evaluate ${model} --data ${data}`);
    expect((await readPlan(await planFile('evaluate: false'))).others.map(({ id }) => id)).toEqual([
      'router',
      'assemble',
    ]);
  });

  it.each([
    ['steps: 3', 'is no plan: steps is not known. paris launch --help shows one.'],
    ['expert: { steps: 0 }', '[config] FILE#expert: steps is 0. It must be a whole number from 1 on.'],
    ['expert: { stepz: 1 }', '"stepz" is no option of paris train expert.'],
    ['router: { times: uniform }', '"times" is no option of paris train router.'],
    ['assemble: { routing: topp2 }', '[config] FILE: assemble.routing is "topp2".'],
    ['assemble: { colour: red }', '[launch] FILE: assemble.colour is no option of paris assemble.'],
    ['evaluate: true', 'is no plan: evaluate: '],
    ['expert: { max-hours: 0 }', '[config] FILE#expert: max-hours is 0. It must be a number above 0.'],
    ['router: { batch: 16, accumulate: 3 }', '[train] accumulate must be a divisor of batchSize (16), got 3.'],
    ['assemble: { out: elsewhere }', '[launch] FILE: assemble.out comes from data, runs and model of the plan.'],
    ['assemble: { data: d3 }', '[launch] FILE: assemble.data comes from'],
    ['evaluate: { data: d3 }', '[launch] FILE: evaluate.data comes from'],
    ['expert: { out: elsewhere }', '[launch] FILE: expert.out comes from'],
    ['expert: { cluster: 0 }', '[launch] FILE: expert.cluster comes from'],
    ['evaluate: { out: FOLDER/model/x.json }', '[evaluate] the output file "FOLDER/model/x.json" is inside'],
  ])('refuses %j before anything runs', async (more, sentence) => {
    const file = await planFile(more.replace('FOLDER', folder));
    await expect(readPlan(file)).rejects.toThrow(sentence.replace('FILE', file).replace('FOLDER', folder));
  });

  it('refuses a model where the runs are, before all of them are trained', async () => {
    const file = join(folder, 'model.yaml');
    await writeFile(file, `data: ${data}\nruns: ${folder}/rr\nmodel: ${folder}/rr\n`);
    await expect(readPlan(file)).rejects.toThrow(
      `[assemble] the model folder "${folder}/rr" is the folder of runs "${folder}/rr". Write it elsewhere.`,
    );
  });

  it('repeats an option for each of its values', async () => {
    const lists =
      'assemble: { result: [a.paris, b.paris] }\nevaluate: { expert: [a.mjs, b.mjs], compare: [top1, full] }\n';
    const [, assemble, evaluate] = (await readPlan(await planFile(lists))).others;
    expect(assemble!.args.slice(-4)).toEqual(['--result', 'a.paris', '--result', 'b.paris']);
    expect(evaluate!.args.slice(4)).toEqual(['--expert', 'a.mjs', '--expert', 'b.mjs', '--compare', 'top1,full']);
  });

  it('refuses data that is not partitioned', async () => {
    await mkdir(join(folder, 'empty'));
    await writeFile(join(folder, 'x.yaml'), `data: ${folder}/empty\nruns: r\nmodel: m\n`);
    await expect(readPlan(join(folder, 'x.yaml'))).rejects.toThrow(
      / is not partitioned: there is no partition\/partition.json. Run paris partition \S+ --clusters N first\.$/,
    );
  });
});

/** A program that notes its calls and ends as `codes` says: per job, the code of each attempt; the last one stays. */
async function fakeParis(codes: Record<string, number[]>) {
  const script = join(folder, 'fake.mjs');
  const calls = join(folder, 'calls');
  await writeFile(
    script,
    `import { appendFileSync, readFileSync } from 'node:fs';
const args = process.argv.slice(2);
const at = args.indexOf('--cluster');
const id = args[0] !== 'train' ? args[0] : args[1] === 'router' ? 'router' : 'expert-0' + args[at + 1];
const note = (what) => appendFileSync(${JSON.stringify(calls)}, id + ' ' + what + '\\n');
if (process.env.CARD) appendFileSync(${JSON.stringify(calls)}.concat('-cards'), id + ' ' + process.env.CARD + '\\n');
process.on('SIGINT', () => { note('stopped'); process.exit(130); });
note('start');
const before = readFileSync(${JSON.stringify(calls)}, 'utf8').split('\\n').filter((line) => line === id + ' start').length;
console.log(JSON.stringify({ type: 'progress', step: 1, steps: 2, loss: 0.5 }));
setTimeout(() => {
  const codes = ${JSON.stringify(codes)}[id] ?? [0];
  const code = codes[Math.min(before, codes.length) - 1];
  if (code !== 0) console.error('[fake] ' + id + ' says ' + code + '.');
  note('end');
  if (code < 0) process.kill(process.pid, 'SIGKILL');
  else process.exit(code);
}, 150);
`,
  );
  await chmod(script, 0o755);
  const lines = async () => (await readFile(calls, 'utf8')).trim().split('\n');
  return { command: [process.execPath, script] as const, lines };
}

async function run(codes: Record<string, number[]>, change: Partial<LaunchLocalOptions> = {}) {
  const plan = await readPlan(await planFile());
  const { command, lines } = await fakeParis(codes);
  const states: [string, JobState['state']][] = [];
  const error = await launchLocal(plan, {
    ...{ command, jobs: 2, retries: 2, pauseMs: 1, logs: join(folder, 'logs'), signal: new AbortController().signal },
    ...change,
    onState: ({ id }, { state }) => states.push([id, state]),
  }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { calls: await lines(), states, error };
}

describe('launchLocal', () => {
  it('runs as many at once as it may, each after those that it needs', async () => {
    const { calls, states, error } = await run({});
    expect(error).toBeUndefined();
    let running = 0;
    let most = 0;
    for (const line of calls) {
      running += line.endsWith('start') ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(most).toBe(2);
    expect(calls.slice(-4)).toEqual(['assemble start', 'assemble end', 'evaluate start', 'evaluate end']);
    expect(states.filter(([, state]) => state === 'done')).toHaveLength(6);
    expect(await readFile(join(folder, 'logs/router.log'), 'utf8')).toContain('"progress"');
  });

  it('tries again what passes, and a process that a signal ended', async () => {
    const { calls, states, error } = await run({ 'expert-01': [75, 75, 0], router: [-1, 0] });
    expect(error).toBeUndefined();
    const count = (id: string) => calls.filter((line) => line === `${id} start`).length;
    expect(['expert-00', 'expert-01', 'router', 'evaluate'].map(count)).toEqual([1, 3, 2, 1]);
    expect(
      states
        .filter(([, state]) => state === 'again')
        .map(([id]) => id)
        .sort(),
    ).toEqual(['expert-01', 'expert-01', 'router']);
  });

  it('gives jobs that run at the same time different cards', async () => {
    const { calls, error } = await run({}, { slots: [{ CARD: 'a' }, { CARD: 'b' }] });
    expect(error).toBeUndefined();
    const cards = new Map(
      (await readFile(join(folder, 'calls-cards'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    expect(cards.size).toBe(6);
    const busy = new Set<string>();
    for (const line of calls) {
      const [id = '', what] = line.split(' ');
      const card = cards.get(id)!;
      if (what === 'start') expect(busy.has(card), `${line} on ${card}`).toBe(false);
      if (what === 'start') busy.add(card);
      else busy.delete(card);
    }
    expect(new Set(cards.values())).toEqual(new Set(['a', 'b']));
  });

  it('gives up after so many times', async () => {
    const { calls, error } = await run({ 'expert-01': [75] });
    expect(calls.filter((line) => line === 'expert-01 start')).toHaveLength(3);
    expect(error?.message).toMatch(
      /^\[launch\] failed: expert-01 \(\[fake\] expert-01 says 75\.; log: .*expert-01\.log\)/,
    );
  });

  it.each([1, 2, 65, 70, 78])('does not try again what ended with %i, and lets the others finish', async (code) => {
    const { calls, error } = await run({ 'expert-00': [code, 0] }, { jobs: 1 });
    const starts = calls.filter((line) => line.endsWith('start'));
    expect(starts).toEqual(['expert-00 start', 'expert-01 start', 'expert-02 start', 'router start']);
    expect(error?.message).toContain(`expert-00 says ${code}.`);
  });

  it('passes a stop on, waits until all have saved, and starts nothing more', async () => {
    const stop = new AbortController();
    const { calls, error } = await run({}, { signal: stop.signal, onEvent: () => stop.abort() });
    expect(error?.name).toBe('AbortError');
    expect(calls.filter((line) => line.endsWith('start')).length).toBeLessThanOrEqual(2);
    expect(calls.filter((line) => line.endsWith('stopped')).length).toBe(
      calls.filter((line) => line.endsWith('start')).length,
    );
  });
});

describe('writeScripts', () => {
  it('writes over its own files only', async () => {
    const out = join(folder, 'out');
    const files = { 'submit.sh': '#!/bin/sh\necho go\n', 'a.yaml': 'kind: Job\n' };
    await writeScripts(out, files, 'submit.sh');
    await writeScripts(out, files, 'submit.sh');
    expect(await readFile(join(out, 'submit.sh'), 'utf8')).toBe('#!/bin/sh\n# Written by paris launch.\necho go\n');
    expect(await readFile(join(out, 'a.yaml'), 'utf8')).toBe('# Written by paris launch.\nkind: Job\n');
    await writeFile(join(out, 'a.yaml'), 'mine');
    await expect(writeScripts(out, { ...files, 'submit.sh': 'other' }, 'submit.sh')).rejects.toThrow(
      `[launch] ${out}/a.yaml is not of paris launch. Give a new or an empty --out.`,
    );
    expect(await readFile(join(out, 'submit.sh'), 'utf8')).toContain('echo go');
    await expect(writeScripts(join(out, 'a.yaml'), files, 'submit.sh')).rejects.toThrow('(ENOTDIR)');
  });

  it('says how to begin as a shell takes it', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await writeScripts(join(folder, 'my scripts'), { 'submit.sh': '#!/bin/sh\n' }, 'submit.sh');
    const text = said.mock.calls.join('');
    said.mockRestore();
    expect(text).toContain(`Begin with: sh '${folder}/my scripts/submit.sh'`);
  });

  it('makes no folder of others its own, and leaves files of others among its own', async () => {
    const photos = join(folder, 'photos');
    await mkdir(photos);
    await writeFile(join(photos, 'a.sh'), '# mine');
    await expect(writeScripts(photos, { 'submit.sh': 'go' }, 'submit.sh')).rejects.toThrow(
      `[launch] "${photos}" holds files, and none of paris launch. Give a new or an empty --out.`,
    );
    expect(await readdir(photos)).toEqual(['a.sh']);
    await rm(join(photos, 'a.sh'));
    await writeScripts(photos, { 'submit.sh': 'go' }, 'submit.sh');
    await writeFile(join(photos, 'a.sh'), '# mine');
    await writeScripts(photos, { 'submit.sh': 'went' }, 'submit.sh');
    expect(await readFile(join(photos, 'submit.sh'), 'utf8')).toContain('went');
  });
});

describe('paris launch', () => {
  const launch = (...args: string[]) => launchCommand().parseAsync(args, { from: 'user' });
  const options: Record<string, string[]> = {
    slurm: [],
    kubernetes: ['--image', 'paris', '--claim', 'shared'],
    skypilot: ['--bucket', 's3://pictures'],
  };

  it('plan prints commands as a shell takes them', async () => {
    const file = join(folder, 'my plan.yaml');
    await writeFile(file, `data: ${data}\nruns: "${folder}/my runs"\nmodel: ${folder}/model\n`);
    const print = vi.spyOn(console, 'log').mockReturnValue();
    await launch('plan', file);
    const printed = print.mock.calls.join('\n');
    print.mockRestore();
    expect(printed).toContain(`paris train router ${data} --out '${folder}/my runs'\n`);
    expect(printed).toContain(`paris assemble '${folder}/my runs' --data ${data} --out ${folder}/model `);
  });

  it.each(Object.keys(options))('%s writes its scripts apart from what the plan reads and writes', async (name) => {
    const file = await planFile();
    const places = { data: 'the data folder', runs: 'the folder of runs', model: 'the model folder' };
    const scripts = async (out: string) =>
      launch(name, file, '--out', out, ...options[name]!, ...(name === 'slurm' ? ['--logs', `${folder}/logs`] : []));
    for (const [place, what] of Object.entries(places)) {
      const path = place === 'data' ? data : join(folder, place);
      for (const out of [path, join(path, 'clusters/00')]) {
        const relation = out === path ? 'is' : 'is inside';
        await expect(scripts(out)).rejects.toThrow(
          `[launch] the folder of scripts "${out}" ${relation} ${what} "${path}". Write it elsewhere.`,
        );
      }
    }
    expect((await readdir(folder)).sort()).toEqual(['model.yaml']);
    if (name !== 'slurm') return;
    await scripts(join(folder, 'out'));
    expect(await readdir(join(folder, 'out'))).toContain('submit.sh');
  });

  it.each([
    ['kubernetes', 'the volume of the claim shared'],
    ['skypilot', 'the bucket s3://pictures'],
  ])('%s takes only paths that its jobs find', async (name, what) => {
    const was = process.cwd();
    process.chdir(base);
    try {
      const places = { data: 'data', runs: 'runs', model: 'my-model' };
      const plan = async (change: Partial<typeof places>) => {
        const lines = Object.entries({ ...places, ...change }).map((each) => each.join(': '));
        await writeFile(join(base, 'plan.yaml'), lines.join('\n'));
        return launch(name, 'plan.yaml', '--out', relative(base, join(folder, 'out')), ...options[name]!);
      };
      for (const [place, path] of Object.entries({ data, runs: '../runs', model: join(folder, 'model') })) {
        await expect(plan({ [place]: path })).rejects.toThrow(
          `[launch] ${place}, "${path}", is not in the folder that jobs see. They mount ${what}, to which paths are relative`,
        );
      }
      expect(await readdir(folder)).toEqual([]);
      await plan({});
      expect(await readdir(join(folder, 'out'))).toContain(name === 'kubernetes' ? 'apply.sh' : 'submit.sh');
      const file = join(base, 'plan.yaml');
      await expect(launch(name, file, '--out', join(folder, 'out'), ...options[name]!)).rejects.toThrow('the plan, ');
    } finally {
      process.chdir(was);
    }
  });

  it.each([
    [['CARD=0', 'CARD=1'], '[launch] --each names CARD twice. Write its values in one: CARD=a,b.'],
    [['CARD=0,1', 'PORT=7'], '[launch] CARD has 2 values and PORT 1. Give as many of each.'],
    [['CARD='], '[launch] "CARD=" is no --each. Write NAME=a,b.'],
  ])('refuses --each %j', async (values, sentence) => {
    const each = values.flatMap((value) => ['--each', value]);
    await expect(launch('local', await planFile(), ...each)).rejects.toThrow(sentence);
  });

  it.each(['slurm', 'local'])('%s writes its logs apart from them, too', async (name) => {
    const logs = join(data, 'logs');
    const args = [await planFile(), ...(name === 'slurm' ? ['--out', join(folder, 'out')] : [])];
    await expect(launch(name, ...args, '--logs', logs)).rejects.toThrow(
      `[launch] the folder of logs "${logs}" is inside the data folder "${data}". Write it elsewhere.`,
    );
    expect(await readdir(folder)).toEqual(['model.yaml']);
  });
});
