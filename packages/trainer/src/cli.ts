// The `paris` command. Each subcommand is a file in cli/commands; what they do is in the library.

import { reportFailure } from './cli/failure.js';
import { createProgram } from './cli/program.js';
import { listenForStops } from './cli/stop.js';

listenForStops();
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = reportFailure(error);
}
// Dawn keeps the process alive as long as its instance lives, so a command says itself when it is done.
process.exit();
