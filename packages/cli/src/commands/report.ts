import { nodeStore } from '@paris/files/node';
import { Command } from 'commander';
import { checkOutputs, path } from '../check-outputs.js';
import { ignoredAdapter } from '../gpu.js';
import { saveOutputs, tryOutputs } from '../output.js';
import { printText } from '../print.js';

interface Flags {
  out: string;
}

export function reportCommand(): Command {
  const command = new Command('report')
    .description('put what happened in runs on one page: curves, samples, speed, memory, checkpoints')
    .argument('<runs>', 'folder with expert-00, … and router, or one of these; runs may be in progress')
    .option('--out <file>', 'HTML file to write', path, 'report.html')
    .addOption(ignoredAdapter())
    .addHelpText('after', '\nExample:\n  paris report runs/ --out report.html');
  checkOutputs(command, 'report', ({ out }: Flags, [runs]) => ({
    files: [['the page', out]],
    reads: [['the folder of runs', runs]],
  }));
  return command.action(async (runs: string, { out }: Flags) => {
    const { reportPage } = await import('../report/report.js');
    await tryOutputs('report', [{ option: '--out', file: out, format: 'HTML' }]);
    await saveOutputs('report', [{ file: out, content: await reportPage(nodeStore(runs), runs) }]);
    printText(`report of ${runs} → ${out}`);
  });
}
