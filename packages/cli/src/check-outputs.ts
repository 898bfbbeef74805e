// What a command writes, looked at before it begins: before an adapter is chosen, a model read or a picture drawn.
import { stat } from 'node:fs/promises';
import { nodeStore } from '@paris/files/node';
import { assertApart, OutputError, type Place } from '@paris/trainer/options';
import { type Command, InvalidArgumentError } from 'commander';

/** A path of the command line, and what it is: `the data folder`. */
export type Named = readonly [what: string, path: string | undefined];

/** Paths that a command reads and writes. Those that were not given are undefined. */
export interface Paths {
  readonly reads: readonly Named[];
  /** Files that it writes. A file of that name is written over; a folder is not. */
  readonly files?: readonly Named[];
  /** Folders that it writes to. */
  readonly folders?: readonly Named[];
  /** Files and folders of ours within a folder: its marker says what each is. */
  readonly parts?: readonly Named[];
}

/** Refuses the command before it begins if what it writes is, lies in or contains what it reads. */
export function checkOutputs<O extends object>(
  command: Command,
  tag: string,
  paths: (options: O, args: readonly string[]) => Paths,
): Command {
  return command.hook('preAction', (_, action) => assertOutputs(tag, paths(action.opts<O>(), action.args)));
}

/** The same, where what is read is known only after a look at it. @throws OutputError */
export async function assertOutputs(
  tag: string,
  { reads, files = [], folders = [], parts = [] }: Paths,
): Promise<void> {
  for (const [what, path] of files) if (path !== undefined) await assertNoFolder(tag, what, path);
  await assertApart(tag, [...files, ...folders, ...parts].flatMap(placeOf), reads.flatMap(placeOf));
  for (const [what, path] of folders) if (path !== undefined) await assertNoFile(tag, what, path);
}

/** For options: a path. An empty one would be the current folder by accident. */
export function path(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

function placeOf([what, path]: Named): Place[] {
  return path === undefined ? [] : [{ what: `${what} ${JSON.stringify(path)}`, store: nodeStore(path) }];
}

async function assertNoFolder(tag: string, what: string, path: string): Promise<void> {
  const isFolder = /[/\\]$/.test(path) || (await stat(path).catch(() => undefined))?.isDirectory();
  if (isFolder) throw new OutputError(tag, `${what} ${JSON.stringify(path)} is a folder. Name a file in it.`);
}

async function assertNoFile(tag: string, what: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isDirectory())
    throw new OutputError(tag, `${what} ${JSON.stringify(path)} is a file. Give a folder.`);
}
