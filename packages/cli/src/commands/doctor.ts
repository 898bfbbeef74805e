import { doctor } from '@paris/tensor/node';
import { Command } from 'commander';
import { printText } from '../print.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('say which WebGPU adapters were tried and why each failed')
    .action(async () => {
      const { works, text } = await doctor();
      printText(text);
      process.exitCode = works ? 0 : 1;
    });
}
