// The manifests against the schemas of Kubernetes' API, of which every field that we use must be known.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { nodeStore } from '@paris/files/node';
import { Job } from 'kubernetes-models/batch/v1';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writeToyData } from '../../../trainer/src/testing/toy.js';
import { kubernetesFiles } from './kubernetes.js';
import { readPlan } from './plan.js';

const base = await mkdtemp(join(tmpdir(), 'paris-kubernetes-'));
afterAll(() => rm(base, { recursive: true }));
await writeToyData(nodeStore(join(base, 'data')));
await writeFile(join(base, 'model.yaml'), `data: ${base}/data\nruns: "${base}/my runs"\nmodel: ${base}/model\n`);
const plan = await readPlan(join(base, 'model.yaml'));
const options = { image: 'example/paris:1', claim: 'shared', paris: 'paris', gpus: 1, graceSeconds: 90, retries: 3 };
const files = kubernetesFiles(plan, options);
const manifests = Object.entries(files).filter(([name]) => name.endsWith('.yaml'));

const valid = (manifest: object): boolean => {
  try {
    new Job(manifest as ConstructorParameters<typeof Job>[0]).validate();
    return true;
  } catch {
    return false;
  }
};

/** All places in a manifest. */
function placesIn(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  const inner = Object.entries(value).flatMap(([key, child]) =>
    placesIn(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? inner : [[...path], ...inner];
}

/** The manifest with a value there that nothing takes: a list in a list. */
function spoiled(manifest: object, path: readonly (string | number)[]): object {
  const copy = structuredClone(manifest) as Record<string | number, unknown>;
  const parent = path.slice(0, -1).reduce<Record<string | number, unknown>>((at, key) => at[key] as typeof at, copy);
  parent[path.at(-1)!] = [[{}]];
  return copy;
}

describe.each(manifests)('%s', (_, text) => {
  const manifest = parse(text);

  it('is valid', () => {
    new Job(manifest).validate();
  });

  it('has no field that the schema does not know', () => {
    // The schema lets unknown fields pass, so each is given a value that no known field takes.
    const free = new Set(['apiVersion', 'kind']); // the class sets them
    const paths = placesIn(manifest).filter((path) => !free.has(String(path[0])));
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) expect(valid(spoiled(manifest, path)), path.join('.')).toBe(false);
  });
});

it('are an index for each expert, and what needs them waits', () => {
  const experts = parse(files['experts.yaml']!);
  expect(experts.spec).toMatchObject({ completionMode: 'Indexed', completions: 3, backoffLimitPerIndex: 3 });
  expect(experts.spec.podFailurePolicy.rules[1]).toMatchObject({
    action: 'FailIndex',
    onExitCodes: { values: [1, 2, 65, 70, 78] },
  });
  const [container] = experts.spec.template.spec.containers;
  expect(container.command[2]).toBe(
    `exec paris train expert ${base}/data --cluster "$JOB_COMPLETION_INDEX" --out '${base}/my runs'`,
  );
  expect(container.resources.limits).toEqual({ 'nvidia.com/gpu': 1 });
  const assemble = parse(files['assemble.yaml']!);
  expect(assemble.spec.suspend).toBe(true);
  expect(assemble.spec.template.spec.containers[0].resources).toBeUndefined();
  expect(parse(files['router.yaml']!).spec.suspend).toBe(false);
});

/** Runs the script with a `kubectl` that notes what it is asked, and of which one job fails for good. */
async function apply(failing = ''): Promise<{ code: number; said: string; asked: string[] }> {
  const folder = await mkdtemp(join(base, 'apply-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const script = `#!/bin/sh
echo "$*" >> ${folder}/asked
case "$1 $*" in
  wait*${failing || 'none'}*) exit 1 ;;
  get*) echo 'Pod failed 65' ;;
esac
`;
  await writeFile(join(folder, 'kubectl'), script, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const { status, stderr } = spawnSync('sh', [join(folder, 'apply.sh')], { env, encoding: 'utf8', timeout: 30_000 });
  const asked = (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
  return { code: status ?? -1, said: stderr, asked };
}

it('are started each when those that it needs are complete', async () => {
  const { code, asked } = await apply();
  expect(code).toBe(0);
  expect(asked.map((line) => `${line.split(' ')[0]} ${/paris-\w+/.exec(line)?.[0] ?? ''}`.trim())).toEqual([
    'apply paris-kubernetes',
    'wait paris-experts',
    'wait paris-router',
    'patch paris-assemble',
    'wait paris-assemble',
    'patch paris-evaluate',
  ]);
});

it('are not waited for where one has failed for good', async () => {
  const { code, said, asked } = await apply('paris-router');
  expect(code).toBe(1);
  expect(said).toContain('paris-router failed: Pod failed 65. Fix what its log says');
  expect(asked.at(-1)).toMatch(/^get job\/paris-router /);
});
