// The task against the fields that SkyPilot's reference lists (docs/source/reference/yaml-spec.rst and sky/utils/schemas.py of
// skypilot-org/skypilot), and the scripts by running them with a stand-in for `sky`.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { nodeStore } from '@paris/files/node';
import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { writeToyData } from '../../../trainer/src/testing/toy.js';
import { neverAgain } from '../exit-code.js';
import { readPlan } from './plan.js';
import { passingCodes, skypilotFiles } from './skypilot.js';

const base = await mkdtemp(join(tmpdir(), 'paris skypilot-'));
afterAll(() => rm(base, { recursive: true }));
await writeToyData(nodeStore(join(base, 'data')));
await writeFile(join(base, 'model.yaml'), `data: "${base}/data"\nruns: "${base}/my 'runs'"\nmodel: "${base}/model"\n`);
const plan = await readPlan(join(base, 'model.yaml'));
const options = { bucket: 's3://pictures', accelerators: 'L4:1', spot: true, paris: 'npx paris', retries: 3 };

/** Of the reference: what we use, no field else. */
const task = z.strictObject({
  name: z.string(),
  resources: z.strictObject({
    accelerators: z.string().regex(/^[\w-]+(:\d+)?$/),
    use_spot: z.boolean(),
    image_id: z.string().startsWith('docker:').optional(),
    job_recovery: z.strictObject({
      strategy: z.enum(['FAILOVER', 'EAGER_NEXT_REGION']),
      max_restarts_on_errors: z.int().min(0),
      recover_on_exit_codes: z.array(z.int().min(0).max(255)),
    }),
  }),
  envs: z.record(z.string().regex(/^[A-Za-z_]\w*$/), z.string()),
  file_mounts: z.record(
    z.string().startsWith('/'),
    z.strictObject({
      source: z.string().regex(/^(s3|gs|r2|cos|oci|https):\/\//),
      mode: z.enum(['MOUNT', 'COPY', 'MOUNT_CACHED']),
    }),
  ),
  run: z.string(),
});

it('the task has fields of the reference and no others', () => {
  const text = skypilotFiles(plan, { ...options, image: 'registry.example/paris:1' })['job.yaml']!;
  expect(task.parse(parse(text)).resources.image_id).toBe('docker:registry.example/paris:1');
  expect(text.trim().split('\n').length).toBeLessThanOrEqual(26);
  expect(task.parse(parse(skypilotFiles(plan, options)['job.yaml']!)).resources).not.toHaveProperty('image_id');
});

it('is started again after codes that may pass, and after none that never do', () => {
  const codes = parse(skypilotFiles(plan, options)['job.yaml']!).resources.job_recovery.recover_on_exit_codes;
  expect(codes).toEqual([75, 129, 130, 143]);
  expect(passingCodes.filter((code) => neverAgain.includes(code))).toEqual([]);
});

it('the scripts launch every job with its own command, and what needs others only in the second', async () => {
  const files = skypilotFiles(plan, options);
  const { run } = parse(files['job.yaml']!);
  const programs = join(base, 'bin');
  await mkdir(programs, { recursive: true });
  // `sky` does what SkyPilot would do on the machine: it runs `run` with the variables that it was given, here with a paris that
  // prints its arguments one a line.
  const sky = `#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in --env) export "$2"; shift;; --name) echo "== $2"; shift;; esac; shift; done\n`;
  await writeFile(
    join(programs, 'sky'),
    `${sky}${run.replace('cd /work', '').replace('exec npx paris', `printf '%s\\n'`)}`,
  );
  await chmod(join(programs, 'sky'), 0o755);
  const launched = async (name: string) => {
    const path = join(base, name);
    await writeFile(path, files[name]!);
    const env = { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` };
    const { stdout } = await promisify(execFile)('sh', [path], { env });
    return Object.fromEntries(
      stdout
        .split('== paris-')
        .slice(1)
        .map((part) => part.trim().split('\n'))
        .map(([id, ...args]) => [id!, args]),
    );
  };
  const [first, second] = [await launched('submit.sh'), await launched('finish.sh')];
  expect(Object.keys(first)).toEqual(['expert-00', 'expert-01', 'expert-02', 'router']);
  expect(Object.keys(second)).toEqual(['assemble', 'evaluate']);
  for (const { id, args } of [...plan.experts, ...plan.others]) expect({ ...first, ...second }[id]).toEqual(args);
});
