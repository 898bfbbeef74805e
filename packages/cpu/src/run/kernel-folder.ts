// Kernels in a folder of this user, so that the next process need not compile them again. Each text has a file: a hash of the rest,
// a line of JSON, and the WebAssembly modules. What cannot be read is compiled again, and what cannot be written is not kept.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { KernelStore, KnownKernel, KnownText } from '../gpu/known-kernels.js';

/** A kernel as the line says it: all but its module, of which it has the length. */
interface Listed {
  readonly key: string;
  readonly bytes: number;
  readonly workgroupBytes: number;
  readonly kernel: Omit<KnownKernel['kernel'], 'wasm'>;
}

/** Bytes of SHA-256. */
const HASH_BYTES = 32;
/** Files of one build at most, of 6 kB or so: where a process finds more, the half that was written longest ago goes. */
const MOST_FILES = 4096;
/** Builds whose kernels are kept: those that wrote last. */
const MOST_BUILDS = 3;
/** Names that are ours: nothing else is ever removed. */
const BUILD_NAME = /^[0-9a-f]{16}$/;
const FILE_NAME = /^[0-9a-f]{64}/;

const deno = (globalThis as { Deno?: { permissions: { querySync(wanted: { name: string }): { state: string } } } })
  .Deno;

/**
 * Where kernels are kept: in the folder that PARIS_CACHE names, or in this user's for caches (XDG base directories). Undefined where
 * there is none, or where Deno would have to ask its user for it.
 */
export function kernelsPath(): string | undefined {
  try {
    const needed = ['env', 'sys', 'read', 'write'];
    if (deno && needed.some((name) => deno.permissions.querySync({ name }).state !== 'granted')) return undefined;
    const { PARIS_CACHE, XDG_CACHE_HOME = '' } = process.env;
    if (PARIS_CACHE) return join(PARIS_CACHE, 'paris-kernels');
    return join(isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'paris', 'paris-kernels');
  } catch {
    return undefined; // a user without a home
  }
}

/** The kernels of one build of the compiler. Several processes may use it at once. */
export class KernelFolder implements KernelStore {
  readonly #folder: string;
  #isOurs: boolean | undefined;
  #mayWrite: boolean | undefined;

  /** @param fingerprint - of the build, 16 hexadecimal digits; kernels of others are in folders of their own */
  constructor(
    private readonly path: string,
    fingerprint: string,
    private readonly mostFiles: number = MOST_FILES,
  ) {
    this.#folder = join(path, fingerprint);
  }

  read(text: string): KnownText | undefined {
    try {
      this.#isOurs ??= isOwn(this.#folder);
      if (!this.#isOurs) return undefined;
      const content = readFileSync(this.#fileOf(text));
      const body = content.subarray(HASH_BYTES);
      if (!createHash('sha256').update(body).digest().equals(content.subarray(0, HASH_BYTES))) return undefined;
      let at = body.indexOf('\n') + 1;
      const listed = JSON.parse(body.toString('utf8', 0, at)) as Listed[];
      const kernels = new Map<string, KnownKernel>();
      for (const { key, bytes, workgroupBytes, kernel } of listed) {
        const wasm = Uint8Array.from(body.subarray(at, at + bytes));
        kernels.set(key, { kernel: { ...kernel, wasm }, workgroupBytes });
        at += bytes;
      }
      return { isSound: true, kernels, bytes: text.length + content.length };
    } catch {
      return undefined; // not there
    }
  }

  write(text: string, { kernels }: KnownText): void {
    this.#mayWrite ??= this.#prepare();
    if (!this.#mayWrite) return;
    const listed = Array.from(kernels, ([key, { kernel, workgroupBytes }]): Listed => {
      const { wasm, ...rest } = kernel;
      return { key, bytes: wasm.length, workgroupBytes, kernel: rest };
    });
    const line = Buffer.from(`${JSON.stringify(listed)}\n`);
    const body = Buffer.concat([line, ...Array.from(kernels.values(), ({ kernel }) => kernel.wasm)]);
    const file = this.#fileOf(text);
    const aside = `${file}.${randomUUID()}`; // a process that dies leaves no half of a file
    try {
      writeFileSync(aside, Buffer.concat([createHash('sha256').update(body).digest(), body]));
      renameSync(aside, file);
    } catch {
      this.#mayWrite = false; // a full disk
      rmSync(aside, { force: true });
    }
  }

  /** Makes the folder, and room in it. @returns whether it may be written to */
  #prepare(): boolean {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#isOurs = isOwn(this.#folder);
      if (!this.#isOurs) return false;
      for (const old of newestFirst(this.path, BUILD_NAME).slice(MOST_BUILDS)) {
        if (old !== this.#folder) rmSync(old, { recursive: true, force: true });
      }
      const files = newestFirst(this.#folder, FILE_NAME);
      const most = files.length > this.mostFiles ? this.mostFiles / 2 : this.mostFiles;
      for (const old of files.slice(most)) rmSync(old, { force: true });
      return true;
    } catch {
      return false; // images of containers have file systems that are only read
    }
  }

  #fileOf(text: string): string {
    return join(this.#folder, createHash('sha256').update(text).digest('hex'));
  }
}

/** Whether nobody else may have put something there: kernels are not checked again. */
function isOwn(folder: string): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) return false;
  return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
}

function newestFirst(folder: string, ours: RegExp): string[] {
  const names = readdirSync(folder).filter((name) => ours.test(name));
  const found = names.map((name) => {
    const path = join(folder, name);
    return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  return found.sort((a, b) => b.at - a.at).map(({ path }) => path);
}
