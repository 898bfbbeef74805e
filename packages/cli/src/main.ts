// The `paris` command. Each subcommand is a file in commands/; what they do is in the libraries.

import { reportFailure } from './failure.js';
import { createProgram } from './program.js';
import { listenForStops } from './stop.js';

listenForStops();
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error);
}
// That something was not written, on a disk that is full, is known after the last write only.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
// Dawn keeps the process alive as long as its instance lives, so a command says itself when it is done.
process.exit();
