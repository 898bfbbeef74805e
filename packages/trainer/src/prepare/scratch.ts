// The folder of an output in which unfinished work of `prepare` and `merge` waits: made when there is something to write, held by one
// process, and gone in the end.
import { entriesOf, type FileLock, type FileStore, folderStore } from '@paris/files';
import { PREPARATION } from '../output/kinds.js';

/** The file that says whose the folder is, and how what is in it was made. */
const INDEX = `${PREPARATION}/${PREPARATION}.json`;

/** A folder for unfinished work. */
export class Scratch {
  /** The folder. Nothing is written to it before {@link begin}. */
  readonly store: FileStore;
  readonly #said: Uint8Array<ArrayBuffer>;
  #lock: FileLock | undefined;
  #isBegun = false;

  /** @param settings - what decides its content. Without it, what is left of an earlier process is removed */
  constructor(
    private readonly out: FileStore,
    private readonly settings: string | undefined,
  ) {
    this.store = folderStore(out, PREPARATION);
    const said = { format: PREPARATION, version: 1, settings: settings ?? '' };
    this.#said = new TextEncoder().encode(`${JSON.stringify(said)}\n`);
  }

  /**
   * Holds what an earlier process left.
   * @returns whether there is something that was made with the same settings; all else is removed
   * @throws FileLockedError if another process is preparing there
   */
  async takeOver(): Promise<boolean> {
    if ((await entriesOf(this.out, PREPARATION)).length === 0) return false;
    await this.#hold();
    if (await this.#isOurs()) return true;
    await this.#clear();
    return false;
  }

  /** To be called before anything is written. @throws FileLockedError if another process is preparing there */
  async begin(): Promise<void> {
    if (this.#isBegun) return;
    await this.#hold();
    await this.out.write(INDEX, this.#said); // first of all, so that the folder is known to be ours
    this.#isBegun = true;
  }

  /** Nothing of it is needed any more. */
  async finish(): Promise<void> {
    if (this.#lock) await this.#clear();
  }

  /** To be called in the end, finished or not. */
  async close(): Promise<void> {
    await this.#lock?.release();
  }

  async #hold(): Promise<void> {
    this.#lock ??= await this.out.lock(PREPARATION);
  }

  async #isOurs(): Promise<boolean> {
    const said = (await this.out.exists(INDEX)) ? await this.out.read(INDEX) : new Uint8Array();
    const decoder = new TextDecoder();
    return this.settings !== undefined && decoder.decode(said) === decoder.decode(this.#said);
  }

  /** The file that says whose the folder is goes last. */
  async #clear(): Promise<void> {
    for (const path of await this.out.list(PREPARATION)) if (path !== INDEX) await this.out.remove(path);
    await this.out.remove(PREPARATION);
  }
}
