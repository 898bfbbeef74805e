// The scripts for Slurm, submitted to a real one on this machine: an array that is preempted and requeued in the middle ends
// with the bytes of one that is not.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeStore } from '@paris/files/node';
import { requireCapability } from '@paris/test-tools';
import { afterAll, afterEach, expect, it } from 'vitest';
import { writeToyData } from '../../../trainer/src/testing/toy.js';
import { readPlan } from './plan.js';
import { slurmScripts } from './slurm.js';

const bin = fileURLToPath(new URL('../../bin/paris.js', import.meta.url));
const base = await mkdtemp(join(tmpdir(), 'paris-slurm-'));
const data = join(base, 'data');
await writeToyData(nodeStore(data));
const daemons: ChildProcess[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) {
    daemon.kill('SIGTERM');
    if (daemon.exitCode === null) await new Promise((resolve) => daemon.once('exit', resolve));
  }
});
afterAll(() => rm(base, { recursive: true, force: true }));

async function planOf(name: string, steps: number) {
  const file = join(base, `${name}.yaml`);
  const training = `{ steps: ${steps}, width: 16, depth: 1, heads: 2, batch: 4, checkpoint-every: 25 }`;
  const places = `data: ${data}\nruns: ${base}/${name}/runs\nmodel: ${base}/${name}/model\nevaluate: false\n`;
  await writeFile(file, `${places}expert: ${training}\nrouter: ${training}\n`);
  return readPlan(file);
}

it('writes an array of experts, and dependencies of what needs them', async () => {
  const options = {
    paris: 'npx paris',
    sbatch: '-p gpu --gres=gpu:1 --comment="my model"',
    logs: 'logs',
    graceSeconds: 60,
    retries: 2,
  };
  const scripts = slurmScripts(await planOf('text', 3), options);
  expect(Object.keys(scripts)).toEqual(['experts.sh', 'router.sh', 'assemble.sh', 'submit.sh']);
  expect(scripts['experts.sh']).toContain('#SBATCH --array=0-2\n#SBATCH -p gpu --gres=gpu:1 --comment="my model"\n');
  expect(scripts['experts.sh']).toContain('#SBATCH --signal=TERM@60\n'); // without B: the step gets it
  expect(scripts['experts.sh']).toMatch(/^srun npx paris train expert \S+ --cluster "\$SLURM_ARRAY_TASK_ID" --out /m);
  expect(scripts['submit.sh']).toContain('--dependency="afterok:$experts:$router" "$here/assemble.sh"');
});

const run = promisify(execFile);

it('requeues a job after every preemption, and so often after a passing failure', async () => {
  const folder = join(base, 'requeued');
  await mkdir(folder);
  const options = { paris: 'paris', sbatch: '', logs: join(folder, 'my logs'), graceSeconds: 60, retries: 2 };
  await mkdir(options.logs);
  await writeFile(join(folder, 'job.sh'), slurmScripts(await planOf('requeue', 3), options)['experts.sh']!);
  await writeFile(join(folder, 'srun'), '#!/bin/sh\nexit $ENDS_WITH\n', { mode: 0o755 });
  await writeFile(join(folder, 'scontrol'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const job = { SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '1', SLURM_RESTART_COUNT: '99' };
  const said = async (code: number) => {
    const env = { ...process.env, ...job, PATH: `${folder}${delimiter}${process.env.PATH}`, ENDS_WITH: String(code) };
    const ended = run('sh', [join(folder, 'job.sh')], { env });
    const { code: exit, stdout, stderr } = await ended.catch((error) => error);
    expect([exit, stderr]).toEqual([code, '']);
    return stdout;
  };
  const said75: string[] = [];
  for (const code of [143, 75, 143, 75, 75, 143, 65]) {
    const text = await said(code);
    if (code === 75) said75.push(text);
    else expect(text).toBe(code === 143 ? 'requeue 7_1\n' : '');
  }
  expect(said75).toEqual(['requeue 7_1\n', 'requeue 7_1\n', '']);
});

it('a preempted and requeued array ends with the bytes of an undisturbed one', async (context) => {
  const installed = ['/usr/sbin/slurmctld', '/usr/sbin/slurmd', '/usr/bin/sbatch'].every((path) => existsSync(path));
  requireCapability(
    context,
    'slurm',
    installed && process.getuid?.() === 0,
    'Slurm is not installed, or this is not root',
  );
  const env = await startSlurm();
  const slurm = async (program: string, ...args: string[]) => (await run(program, args, { env })).stdout.trim();
  const options = {
    paris: `${process.execPath} ${bin}`,
    sbatch: '-c 1 --comment="my model"',
    graceSeconds: 30,
    retries: 2,
  };

  const submit = async (name: string) => {
    const scripts = slurmScripts(await planOf(name, 400), { ...options, logs: join(base, name) });
    await mkdir(join(base, name));
    for (const [file, text] of Object.entries(scripts)) await writeFile(join(base, name, file), text);
    return new Map(
      [...(await slurm('sh', join(base, name, 'submit.sh'))).matchAll(/(\w+) (\d+)/g)].map((m) => [m[1]!, m[2]!]),
    );
  };
  const ended = async () => {
    for (;;) {
      const jobs = await slurm('squeue', '-h', '-o', '%i %r');
      if (jobs === '') return;
      // A requeued job would wait for two minutes.
      for (const [, id] of jobs.matchAll(/^(\S+) BeginTime$/gm))
        await slurm('scontrol', 'update', `JobId=${id}`, 'StartTime=now');
      expect(jobs).not.toContain('DependencyNeverSatisfied');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };

  await submit('whole');
  await ended();
  const ids = await submit('disturbed');
  const checkpoints = join(base, 'disturbed/runs/expert-01/checkpoints');
  while (!(existsSync(checkpoints) && (await readdir(checkpoints)).length > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await slurm('scontrol', 'requeue', `${ids.get('experts')}_1`);
  await ended();
  const weights = (name: string) => readFile(join(base, name, 'runs/expert-01/model.safetensors'));
  expect(await weights('disturbed')).toEqual(await weights('whole'));
  expect(existsSync(join(base, 'disturbed/model/model_index.json'))).toBe(true);
  const log = await readFile(join(base, 'disturbed/paris-experts-1.log'), 'utf8');
  expect(log).toContain('REQUEUE');
}, 300_000);

/** A controller and a node of this machine, without authentication. */
async function startSlurm(): Promise<NodeJS.ProcessEnv> {
  const folder = join(base, 'slurm');
  const port = 20_000 + (process.pid % 20_000);
  const host = hostname().split('.')[0]!;
  for (const name of ['state', 'spool']) await mkdir(join(folder, name), { recursive: true });
  const settings = {
    ...{ ClusterName: 'test', SlurmctldHost: `${host}(127.0.0.1)`, SlurmUser: 'root', SlurmdUser: 'root' },
    ...{ AuthType: 'auth/none', CredType: 'cred/none', ProctrackType: 'proctrack/pgid', TaskPlugin: 'task/none' },
    ...{ StateSaveLocation: join(folder, 'state'), SlurmdSpoolDir: join(folder, 'spool') },
    ...{ SlurmctldPidFile: join(folder, 'ctld.pid'), SlurmdPidFile: join(folder, 'd.pid') },
    ...{ SlurmctldPort: port, SlurmdPort: port + 1, MpiDefault: 'none', ReturnToService: 2, JobRequeue: 1 },
    ...{ SelectType: 'select/cons_tres', SelectTypeParameters: 'CR_Core', SchedulerParameters: 'sched_interval=1' },
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  lines.push(
    `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN`,
    'PartitionName=all Nodes=ALL Default=YES State=UP',
  );
  const conf = join(folder, 'slurm.conf');
  await writeFile(conf, `${lines.join('\n')}\n`);
  const env = { ...process.env, SLURM_CONF: conf };
  for (const program of ['/usr/sbin/slurmctld', '/usr/sbin/slurmd']) {
    daemons.push(spawn(program, ['-D', '-f', conf], { env, stdio: 'ignore' }));
  }
  for (let attempt = 0; ; attempt++) {
    const nodes = await run('sinfo', ['-h', '-o', '%t'], { env }).then(
      ({ stdout }) => stdout.trim(),
      (error: Error) => error.message,
    );
    if (nodes === 'idle') return env;
    if (attempt === 100) throw new Error(`Slurm does not start: ${nodes}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
