// A compiler whose texts are names of hand-made kernels (`double`, or `double trap` with two entry points), for tests of the
// device alone.
import type { Program } from '../program/program.js';
import { handmade, type KernelName, kernelNames } from '../run/kernels.testing.js';
import { type Message, ProgramError } from '../wgsl/module.js';
import type { Compiler } from './compiler.js';

export function namingCompiler(): Compiler & { compiled: number } {
  const compiler = {
    languageFeatures: [],
    compiled: 0,
    parse(code: string) {
      const names = code.split(' ');
      const messages = names
        .filter((name) => !(kernelNames as readonly string[]).includes(name))
        .map((name): Message => {
          const offset = code.indexOf(name);
          return {
            type: 'error',
            message: `unknown ${name}`,
            line: 1,
            column: offset + 1,
            offset,
            length: name.length,
          };
        });
      return {
        messages,
        entryPoints: names,
        program(entryPoint = names.length === 1 ? names[0] : undefined) {
          if (!entryPoint || !names.includes(entryPoint))
            throw new ProgramError(`there is no entry point ${entryPoint}`);
          return { globals: [], entry: { function: { name: entryPoint } } } as unknown as Program;
        },
      };
    },
    compile(program: Program, { shared }: { readonly shared: boolean }) {
      compiler.compiled++;
      return handmade(program.entry.function.name as KernelName, shared);
    },
  };
  return compiler;
}
