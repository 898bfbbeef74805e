// Programs in processes of their own, for tests of what a process does as a whole: ending, memory, bytes that repeat.
// Vitest only, so no part of @paris/tensor/testing.
import { type ChildProcess, execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import typegpu from 'unplugin-typegpu/esbuild';

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

export interface ChildOptions {
  /** Flags of Node. */
  readonly flags?: readonly string[];
  /** A module that runs before anything else is loaded. */
  readonly before?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Default a minute. */
  readonly timeoutMs?: number;
}

export interface ChildProgram {
  /** Runs it and resolves to what it printed; rejects with its errors' text if it fails or takes too long. */
  run(options?: ChildOptions): Promise<string>;
  remove(): Promise<void>;
}

/** Bundles a program that imports `@paris/tensor…` (its sources), or modules below `./src`. */
export async function childProgram(source: string): Promise<ChildProgram> {
  // Inside the package, so that the bundle finds what stays outside of it.
  const folder = join(packageFolder, 'node_modules', '.paris-children', `${process.pid}-${nextChild++}`);
  await mkdir(folder, { recursive: true });
  const program = join(folder, 'program.mjs');
  await build({
    stdin: { contents: source, resolveDir: packageFolder, loader: 'ts' },
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022', // Node 20 has no `using`
    conditions: ['@paris/source'],
    external: ['typegpu', 'webgpu'],
    plugins: [typegpu({ include: [/\.ts$/] })],
  });
  return {
    async run({ flags = [], before = '', environment = {}, timeoutMs = 60_000 } = {}) {
      const start = join(folder, 'start.mjs');
      await writeFile(start, `${before}\nawait import('./program.mjs');\n`);
      return output([...flags, start], { ...process.env, ...environment }, timeoutMs);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

let nextChild = 0;

function output(args: string[], env: NodeJS.ProcessEnv, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = execFile(
      process.execPath,
      args,
      { env, timeout, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else {
          const how = error.killed ? `took more than ${timeout} ms` : `ended with ${child.exitCode ?? error.signal}`;
          reject(new Error(`the program ${how}.\n${stdout}\n${stderr}`));
        }
      },
    );
  });
}
