import { Command } from 'commander';
import { readSecretKey, writeSecretKey } from '../bundle-file.js';
import { path } from '../check-outputs.js';
import { printText } from '../print.js';

export function keyCommand(): Command {
  return new Command('key')
    .description('make a key that signs bundles, or show the public part of one')
    .option('--out <file>', 'where the secret key is written, for you alone; the public one is printed', path)
    .option('--show <file>', 'print the public key that belongs to this secret one', path)
    .addHelpText('after', '\nExample:\n  paris key --out my.key >> trusted.txt')
    .action(async ({ out, show }: { out?: string; show?: string }, command: Command) => {
      if ((out === undefined) === (show === undefined)) command.error('error: give --out FILE or --show FILE');
      const { createKeys, publicKeyOf } = await import('@paris/trainer');
      if (show !== undefined) printText(`${await publicKeyOf(await readSecretKey(show))}\n`);
      if (out === undefined) return;
      const { publicKey, secretKey } = await createKeys();
      await writeSecretKey(out, secretKey);
      printText(`${publicKey}\n`);
    });
}
