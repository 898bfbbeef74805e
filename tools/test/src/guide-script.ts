// A guide's commands as a program: all `sh` fences that are marked with `run`, in their order, are one script, which stops at its
// first failure. A test says what is replaced in it, so that it is seen where what runs is different from what is read.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '@paris/tensor';
import { requireCapability } from '@paris/test-tools';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { fences, ROOT } from './markdown.js';

/** What is replaced in a guide's commands, in this order. */
export type Replacements = readonly (readonly [from: RegExp | string, to: string])[];

/** Smaller numbers in place of a guide's: the commands are the same. */
export const small: Replacements = [
  [/--steps \d+/g, '--steps 4 --width 16 --depth 1 --heads 2'],
  [/--batch \d+/g, '--batch 4'],
  [/paris evaluate \S+/g, '$& --no-page'],
  [/--(validate|checkpoint|sample)-every \d+/g, '--$1-every 2'],
];

/** A folder for a guide's files, made before the file's first test. Without an adapter its tests are skipped with that reason. */
export function useGuideFolder(): { readonly path: string } {
  let path = '';
  let works = false;
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'paris-guide-'));
    works = await openDevice().then(
      (device) => device.close().then(() => true),
      () => false,
    );
  });
  beforeEach((context) => requireCapability(context, 'adapter', works, 'WebGPU gives no adapter'));
  afterAll(() => rm(path, { recursive: true }));
  return {
    get path() {
      return path;
    },
  };
}

/** The fences of a guide. */
export async function fencesOf(guide: string): Promise<ReturnType<typeof fences>> {
  return fences(await readFile(join(ROOT, 'docs', guide), 'utf8'));
}

/** All that a guide runs, as one script. Each replacement must be of something. */
export async function scriptOf(guide: string, replacements: Replacements): Promise<string> {
  const run = (await fencesOf(guide)).filter(({ language, runs }) => language === 'sh' && runs);
  expect(run.length).toBeGreaterThan(3);
  const paris = `paris() { '${process.execPath}' '${join(ROOT, 'packages/cli/bin/paris.js')}' "$@"; }`;
  let commands = run.map(({ code }) => code).join('\n');
  for (const [from, to] of replacements) {
    const replaced = commands.replaceAll(from, to);
    expect(replaced, `the guide has no ${from} any more`).not.toBe(commands);
    commands = replaced;
  }
  return ['set -eu', paris, commands].join('\n');
}

/** Runs a script, and gives what it printed to both streams. */
export function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', script], { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`the guide's script failed\n${stdout}\n${stderr}`));
      else resolve(stdout + stderr);
    });
  });
}
