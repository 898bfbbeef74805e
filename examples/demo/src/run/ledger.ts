// What has been done already: `demo.json` in the out folder. It holds, for each task, the arguments it ran with, whether it
// is complete, and when it was running, over as many interruptions as there were.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DemoError } from '../errors.js';

const recordSchema = z.object({
  args: z.array(z.string()),
  complete: z.boolean(),
  /** One per process: start and end in milliseconds since 1970. */
  sessions: z.array(z.tuple([z.number(), z.number()])),
});
const ledgerSchema = z.object({
  version: z.literal(1),
  adapter: z.string().optional(),
  tasks: z.record(z.string(), recordSchema),
});
export type TaskRecord = z.infer<typeof recordSchema>;

export class Ledger {
  private constructor(
    readonly folder: string,
    private readonly content: z.infer<typeof ledgerSchema>,
  ) {}

  /**
   * Opens the ledger of an out folder, or starts one.
   * @throws DemoError if the folder holds anything and no ledger: it is not the demo's
   */
  static async open(folder: string): Promise<Ledger> {
    const path = join(folder, LEDGER);
    if (!existsSync(path)) {
      const foreign = (await namesIn(folder))[0];
      if (foreign !== undefined) throw notOurs(folder, foreign);
      await mkdir(folder, { recursive: true });
      return new Ledger(folder, { version: 1, tasks: {} });
    }
    const content = parseJson(await readFile(path, 'utf8'));
    const parsed = ledgerSchema.safeParse(content);
    if (parsed.success) return new Ledger(folder, parsed.data);
    if (!isLedger(content)) throw notOurs(folder, LEDGER);
    throw new DemoError(`${path} is not a record of this version of the demo. Pass --fresh to start again.`);
  }

  get tasks(): Readonly<Record<string, TaskRecord>> {
    return this.content.tasks;
  }

  /** The one line that names the adapter. */
  get adapter(): string | undefined {
    return this.content.adapter;
  }

  async setAdapter(line: string): Promise<void> {
    if (line === this.content.adapter) return;
    this.content.adapter = line;
    await this.save();
  }

  /** Whether a task is complete with these arguments and its output is still there. */
  isComplete(id: string, args: readonly string[], output: string): boolean {
    const record = this.content.tasks[id];
    return record?.complete === true && sameArgs(record.args, args) && existsSync(join(this.folder, output));
  }

  /**
   * Notes that a task starts. Earlier sessions of the same arguments stay: their time counts.
   * @throws DemoError if it ran with other arguments before and is not `repeatable`
   */
  async start(id: string, args: readonly string[], repeatable: boolean): Promise<void> {
    const earlier = this.content.tasks[id];
    const same = earlier !== undefined && sameArgs(earlier.args, args);
    if (earlier && !same && !repeatable) {
      throw new DemoError(
        `${id} was made with ${differences(earlier.args, args)}. Use the same options, another --out, or --fresh.`,
      );
    }
    this.content.tasks[id] = {
      args: [...args],
      complete: false,
      sessions: same && !earlier.complete ? earlier.sessions : [],
    };
    await this.save();
  }

  async end(id: string, session: [start: number, end: number], complete: boolean): Promise<void> {
    const record = this.content.tasks[id]!;
    record.sessions.push(session);
    record.complete = complete;
    await this.save();
  }

  /** Marks tasks as not complete, because something they depend on was made again. */
  async invalidate(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const record = this.content.tasks[id];
      if (record) record.complete = false;
    }
    await this.save();
  }

  private saving: Promise<void> = Promise.resolve();

  /** Writes one after the other: several tasks end at about the same time. */
  private save(): Promise<void> {
    this.saving = this.saving.then(async () => {
      const unfinished = join(this.folder, `.${LEDGER}.tmp-${randomUUID()}`);
      await writeFile(unfinished, `${JSON.stringify(this.content, null, 2)}\n`, { flag: 'wx' });
      await rename(unfinished, join(this.folder, LEDGER));
    });
    return this.saving;
  }
}

const LEDGER = 'demo.json';

/**
 * Moves an out folder aside to the first free name `folder-1`, `folder-2`, …; returns it, or undefined if it was empty or
 * not there.
 * @param known - what the demo writes directly in the folder
 * @throws DemoError if the folder is not the demo's, or holds anything else
 */
export async function moveAside(folder: string, known: readonly string[]): Promise<string | undefined> {
  const names = await namesIn(folder);
  if (names.length === 0) return undefined;
  const path = join(folder, LEDGER);
  if (!existsSync(path)) throw notOurs(folder, names[0]!);
  if (!isLedger(parseJson(await readFile(path, 'utf8')))) throw notOurs(folder, LEDGER);
  const foreign = names.find((name) => name !== LEDGER && !known.includes(name));
  if (foreign !== undefined) {
    throw new DemoError(`${join(folder, foreign)} is not the demo's. Move it elsewhere before --fresh moves the rest.`);
  }
  let n = 1;
  while (existsSync(`${folder}-${n}`)) n++;
  await rename(folder, `${folder}-${n}`);
  return `${folder}-${n}`;
}

/** What is in a folder, but for what systems put there and writes of ours that a kill cut short. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new DemoError(`${folder} cannot be the out folder (${error.code}). Give another --out.`, { cause: error });
  });
  return names.filter((name) => name !== '.DS_Store' && !/^\.demo\.json\.tmp-[0-9a-f-]{36}$/.test(name)).sort();
}

function notOurs(folder: string, name: string): DemoError {
  return new DemoError(`${folder} holds ${name} and is not a folder of the demo. Give a new or an empty --out.`);
}

/** Whether JSON is a ledger, of whatever version. */
function isLedger(content: unknown): boolean {
  const { version, tasks } = (content ?? {}) as { version?: unknown; tasks?: unknown };
  return typeof version === 'number' && typeof tasks === 'object' && tasks !== null;
}

const sameArgs = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((arg, i) => arg === b[i]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `--steps 320, now --steps 640`. */
function differences(before: readonly string[], now: readonly string[]): string {
  const flagsOf = (args: readonly string[]) =>
    new Map(args.flatMap((arg, i) => (arg.startsWith('--') ? [[arg, args[i + 1] ?? ''] as const] : [])));
  const [old, current] = [flagsOf(before), flagsOf(now)];
  const changed = [...new Set([...old.keys(), ...current.keys()])].filter(
    (flag) => old.get(flag) !== current.get(flag),
  );
  if (changed.length === 0) return 'other folders';
  const show = (flags: Map<string, string>) =>
    changed.map((flag) => (flags.has(flag) ? `${flag} ${flags.get(flag)}` : `no ${flag}`)).join(' ');
  return `${show(old)}, now ${show(current)}`;
}
