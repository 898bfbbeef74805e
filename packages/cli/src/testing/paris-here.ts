// Runs the `paris` command in this process: what it does and says, without the time that a new process takes to begin. How
// processes start, stop and end is seen with paris.ts.
import { format } from 'node:util';
import type { Command } from 'commander';
import { reportFailure } from '../failure.js';
import { createProgram } from '../program.js';
import { startedBefore } from '../supervise.js';
import { type ParisOptions, paris } from './paris.js';

/** How a command ended, and what it said. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** `commandHere`; but on a GPU a command needs processes of its own, and gets them. */
export async function parisHere(args: readonly string[], options: Pick<ParisOptions, 'env'> = {}): Promise<Said> {
  if (process.env.PARIS_ADAPTER === 'cpu') return commandHere(args, options);
  const { code, stdout, stderr } = await paris(args, options);
  return { code: Number(code), stdout, stderr };
}

/**
 * One at a time, without a GPU: the environment, which is as before in the end, and the streams are this process's.
 * @param options.program - the commands, where a test has changed them
 */
export async function commandHere(
  args: readonly string[],
  { env = {}, program = createProgram() }: Pick<ParisOptions, 'env'> & { program?: Command } = {},
): Promise<Said> {
  if (startedBefore() !== undefined)
    throw new Error('a test has made this process a child, which ends with its parent.');
  const said: Said = { code: 0, stdout: '', stderr: '' };
  const { exitCode } = process;
  const before = { ...process.env };
  const restore = [
    catchOutput((text) => {
      said.stdout += text;
    }, 'stdout'),
    catchOutput((text) => {
      said.stderr += text;
    }, 'stderr'),
  ];
  process.exitCode = undefined;
  setEnvironment({ ...before, ...env });
  try {
    await program.parseAsync(args, { from: 'user' });
    said.code = Number(process.exitCode ?? 0);
  } catch (error) {
    said.code = reportFailure(error);
  } finally {
    setEnvironment(before);
    process.exitCode = exitCode;
    for (const undo of restore) undo();
  }
  return said;
}

function setEnvironment(variables: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (variables[name] === undefined) delete process.env[name];
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value;
}

/** A test runner's console does not write to the streams. */
function catchOutput(take: (text: string) => void, name: 'stdout' | 'stderr'): () => void {
  const stream = process[name];
  const write = stream.write;
  stream.write = ((text: string | Uint8Array, ...rest: unknown[]) => {
    take(typeof text === 'string' ? text : new TextDecoder().decode(text));
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  }) as typeof write;
  const methods = name === 'stdout' ? (['log', 'info'] as const) : (['error', 'warn'] as const);
  const printed = methods.map((method) => [method, console[method]] as const);
  for (const [method] of printed) console[method] = (...values) => take(`${format(...values)}\n`);
  return () => {
    stream.write = write;
    for (const [method, original] of printed) console[method] = original;
  };
}
