// Programs that a part of the tests runs: each on an adapter of its choice, and each must end by itself.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './markdown.js';

/**
 * The environment in which a process finds the adapter, or why there is none. Asks the built launcher.
 * @param {'auto' | 'gpu' | 'cpu' | 'lavapipe' | 'swiftshader'} adapter
 * @returns {Promise<{ env?: NodeJS.ProcessEnv, name: string, reason: string }>}
 */
export async function environmentOf(adapter) {
  try {
    const { adapterEnvironment, chooseAdapter, describeAdapter } = await import(
      join(ROOT, 'packages', 'tensor', 'dist', 'node', 'index.js')
    );
    const chosen = await chooseAdapter({ adapter });
    return { env: { ...process.env, ...adapterEnvironment(chosen) }, name: describeAdapter(chosen), reason: '' };
  } catch (error) {
    return { name: adapter, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** @typedef {{ env?: NodeJS.ProcessEnv, cwd?: string, limitMs?: number, args?: string[] }} RunOptions */

/** Runs a file under Node. @param {string} file @param {RunOptions} [options] */
export function runNode(file, options) {
  return runProgram([process.execPath, file, ...(options?.args ?? [])], options);
}

/**
 * Runs a program to its end, with its output. One that is still there after `limitMs` is ended, and its code says so.
 * @param {string[]} command
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number | string, output: string, quietMs: number }>} `quietMs`: how long it lived after it last
 *   printed something
 */
export function runProgram([program = '', ...args], { env = process.env, cwd = ROOT, limitMs = 180_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let late = false;
    let printed = performance.now();
    const quietMs = () => performance.now() - printed;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
        printed = performance.now();
      });
    }
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limitMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve({ code: error.message, output, quietMs: quietMs() });
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: late ? `the limit of ${limitMs / 1000} s` : (code ?? String(signal)),
        output,
        quietMs: quietMs(),
      });
    });
  });
}
