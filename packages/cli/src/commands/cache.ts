// What downloads left on this machine, and getting rid of it.
import { printable, ValueError } from '@paris/files';
import { type CleanOptions, cleanDownloads, type KeptSource, listDownloads } from '@paris/files/node';
import { Command } from 'commander';
import { duration } from '../duration.js';
import { inBytes } from '../in-bytes.js';
import { bytes } from '../option-values.js';
import { jsonLine, printText } from '../print.js';

export function cacheCommand(): Command {
  const command = new Command('cache')
    .description('list the models that were downloaded, or remove those that nobody uses')
    .addHelpText(
      'after',
      '\nDownloads are in PARIS_CACHE, or ~/.cache/paris.\n\nExamples:\n  paris cache list\n' +
        '  paris cache clean --older 30d --keep 20GB\n  paris cache clean --source owner/name',
    );
  command
    .command('list')
    .description('say which sources are kept, how large they are and when they were last used')
    .option('--json', 'print one JSON object a source')
    .action(async ({ json }: { json?: boolean }) => {
      const { downloadsPath } = await import('@paris/sampler/node');
      const path = downloadsPath();
      const sources = await listDownloads(path);
      if (json) for (const source of sources) printText(jsonLine(source));
      else printText([...sources.map(lineOf), summary(sources, path)].join('\n'));
    });
  command
    .command('clean')
    .description('remove sources; those that a running process has opened stay')
    .option('--older <time>', 'those that nobody has opened for so long: 30d, 12h', duration)
    .option('--keep <bytes>', 'those used longest ago, until the rest takes no more: 20GB', bytes)
    .option('--source <text>', 'those with this text in their address: owner/name')
    .option('--all', 'all of them')
    .action(async (flags: CleanFlags) => {
      const { downloadsPath } = await import('@paris/sampler/node');
      const { removed, inUse, freedBytes, keptBytes } = await cleanDownloads(downloadsPath(), wanted(flags));
      for (const source of inUse) printText(`in use, and kept: ${printable(source.address)}`);
      for (const source of removed) printText(`removed ${printable(source.address)}`);
      printText(`${inBytes(freedBytes)} freed, ${inBytes(keptBytes)} kept`);
    });
  return command;
}

interface CleanFlags {
  older?: number;
  keep?: number;
  source?: string;
  all?: boolean;
}

/** @throws ValueError if nothing says what goes */
function wanted({ older, keep, source, all }: CleanFlags): CleanOptions {
  if (older === undefined && keep === undefined && !source && !all) {
    const what = 'nothing says what to remove';
    throw new ValueError('cache', `${what}. Give --older 30d, --keep 20GB, --source owner/name, or --all.`);
  }
  return {
    olderThanMs: older === undefined ? undefined : older * 1000,
    keepBytes: keep,
    address: all ? '' : source?.replace(/^hf:/, ''),
  };
}

function lineOf({ address, files, keptBytes, totalBytes, lastUsedMs, inUse }: KeptSource): string {
  const part = keptBytes < totalBytes ? ` of ${inBytes(totalBytes)}` : '';
  const used = inUse ? 'in use' : `used ${new Date(lastUsedMs).toISOString().slice(0, 10)}`;
  return `${printable(address)}  ${inBytes(keptBytes)}${part} in ${files} files, ${used}`;
}

function summary(sources: readonly KeptSource[], path: string): string {
  const total = sources.reduce((sum, { keptBytes }) => sum + keptBytes, 0);
  return `${sources.length} sources, ${inBytes(total)} in ${printable(path)}`;
}
