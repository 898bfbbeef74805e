// All subcommands together.
import { printable } from '@paris/files';
import { version } from '@paris/trainer/options';
import { Command } from 'commander';
import { assembleCommand } from './commands/assemble.js';
import { bundleCommand } from './commands/bundle.js';
import { cacheCommand } from './commands/cache.js';
import { distilCommand } from './commands/distil.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { execCommand } from './commands/exec.js';
import { experimentCommand } from './commands/experiment.js';
import { importCommand } from './commands/import.js';
import { infoCommand } from './commands/info.js';
import { keyCommand } from './commands/key.js';
import { launchCommand } from './commands/launch.js';
import { mergeCommand } from './commands/merge.js';
import { partitionCommand } from './commands/partition.js';
import { prepareCommand } from './commands/prepare.js';
import { profileCommand } from './commands/profile.js';
import { publishCommand } from './commands/publish.js';
import { reportCommand } from './commands/report.js';
import { sampleCommand } from './commands/sample.js';
import { serveCommand } from './commands/serve.js';
import { trainCommand } from './commands/train.js';
import { tuneCommand } from './commands/tune.js';
import { verifyCommand } from './commands/verify.js';
import { withdrawCommand } from './commands/withdraw.js';
import { exitCodesHelp } from './exit-code.js';

export function createProgram(): Command {
  const program = new Command('paris')
    .description('Train, assemble and sample decentralized diffusion models on WebGPU.')
    .version(version)
    .addHelpText('after', example + exitCodesHelp)
    .showHelpAfterError('(paris --help shows the commands)')
    .enablePositionalOptions(); // what follows `exec --` belongs to the other program
  const commands = [
    prepareCommand(),
    mergeCommand(),
    partitionCommand(),
    trainCommand(),
    reportCommand(),
    verifyCommand(),
    bundleCommand(),
    keyCommand(),
    assembleCommand(),
    withdrawCommand(),
    distilCommand(),
    launchCommand(),
    importCommand(),
    cacheCommand(),
    sampleCommand(),
    serveCommand(),
    evaluateCommand(),
    experimentCommand(),
    publishCommand(),
    infoCommand(),
    doctorCommand(),
    tuneCommand(),
    profileCommand(),
    execCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  throwInsteadOfExit(program);
  return program;
}

const example = `
From a folder of pictures to samples:
  paris prepare ./photos --captions captions.csv --size 32 --out data/
  paris partition data/ --clusters 8
  paris train expert data/ --cluster 3 --out runs/     (each cluster; any machine, any time, alone)
  paris train router data/ --out runs/
  paris assemble runs/ --out my-model/
  paris sample my-model/ --prompt "smiling cat face" --out grid.png
`;

/** Commander ends the process on wrong usage and prints what was given as it is; both are ours to decide. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  command.configureOutput({
    outputError: (message, write) => write(message.split('\n').map(printable).join('\n')),
  });
  for (const sub of command.commands) throwInsteadOfExit(sub);
}
