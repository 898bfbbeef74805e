// `npm run demo`: from two npm packages of emoji to a page of samples, through every command of `paris`.

import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { installedParis } from '@paris/cli';
import { collect } from './collect/collect.js';
import { runStages } from './demo.js';
import { DemoError } from './errors.js';
import { type DemoOptions, parseOptions } from './options.js';
import { fontCss } from './report/fonts.js';
import { duration } from './report/format.js';
import { renderPage } from './report/page.js';
import type { PageInput } from './report/types.js';
import type { Ledger } from './run/ledger.js';
import { progressView } from './run/progress.js';
import { layout } from './stages.js';

// As a shell has it: 128 + the number of the signal; a pipe that nobody reads any more counts as one.
const EXIT = { failed: 1, SIGHUP: 129, SIGINT: 130, SIGPIPE: 141, SIGTERM: 143 } as const;

// npm changes to the package's folder; what people write is relative to where they are.
const folder = process.env.INIT_CWD ?? process.cwd();

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const options = parseOptions(argv, folder);
  const view = progressView();
  const stop = listenForStops(view.say.bind(view));
  const ledger = await runStages(options, { paris: installedParis(), view, signal: stop.signal });
  if (!ledger) {
    console.log('Stopped. Run the same command to resume.');
    return EXIT[stop.cause ?? 'SIGINT'];
  }
  const input = await writePage(
    options,
    ledger,
    ['npm run demo', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' '),
  );
  return conclude(input, options.out);
}

async function writePage(options: DemoOptions, ledger: Ledger, command: string): Promise<PageInput> {
  const input = await collect(options, ledger, command);
  await writeFile(join(options.out, layout.page), renderPage(input, await fontCss()));
  return input;
}

/** A line per control, then the page; the exit code says whether it worked. */
function conclude({ controls, timings }: PageInput, out: string): number {
  console.log(`\nControls, on pictures that no training saw (${duration(timings.totalSeconds)} in all):`);
  for (const { name, detail, passed, gate } of controls) {
    console.log(`  ${passed ? '✓' : gate ? '✗' : '–'} ${name}: ${detail}`);
  }
  console.log(`\nThe page: ${relative(folder, join(out, layout.page))}`);
  const failed = controls.filter((control) => control.gate && !control.passed);
  if (failed.length === 0) return 0;
  console.error(`[demo] failed: ${failed.map((control) => control.name).join('; ')}.`);
  return EXIT.failed;
}

/** Why the program is to stop, and a signal that is aborted then. */
interface Stop {
  signal: AbortSignal;
  cause?: Exclude<keyof typeof EXIT, 'failed'>;
}

/**
 * Aborts on Ctrl-C, when the terminal hangs up, and when nobody reads what is printed. npm and the terminal may both pass
 * on a signal; only a second one, later, ends the program at once.
 */
function listenForStops(say: (line: string) => void): Stop {
  const controller = new AbortController();
  const stop: Stop = { signal: controller.signal };
  let first: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      stop.cause ??= name;
      if (first === undefined) {
        first = performance.now();
        say('Stopping: each process writes a checkpoint first. Once more ends it at once.');
        controller.abort();
      } else if (performance.now() - first > 1000) process.exit(EXIT[name]);
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      stop.cause ??= 'SIGPIPE';
      controller.abort();
    });
  }
  return stop;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof DemoError && !process.env.PARIS_DEBUG) console.error(error.message);
  else console.error(error);
  process.exitCode = EXIT.failed;
}
