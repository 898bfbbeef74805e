// What the page and its workers agree on: the words of the control block and the commands of a batch. Workers get this
// object with their source, because that source must not import anything.

/** Indices of 32-bit words in the control block. Words that several threads write have a cache line of their own. */
export const layout = {
  /** Batches posted, batches carried out, and which one the page wants to hear of (0: none). */
  posted: 0,
  done: 16,
  ask: 32,
  /** Messages sent to each worker. A worker that has seen fewer goes back to its event loop to receive them. */
  mail: 48,
  /** Changed to wake the leader (worker 0) and the followers. */
  lead: 64,
  follow: 80,
  /** Of the dispatch that is open to all: a flag and the number of followers in it; the next workgroup; the rest. */
  state: 96,
  next: 112,
  kernel: 128,
  block: 129,
  count: 130,
  chunk: 131,
  scratch: 132,
  stride: 133,
  /** Pages of the memory, so that workers see when it has grown. */
  pages: 144,
  /** Addresses of the batches that are posted and not yet carried out. */
  ring: 160,
  ringSize: 1024,
  words: 160 + 1024,
  open: 0x40000000,

  /**
   * A batch: words that follow, address of the scratch memory, its bytes for each worker, 0; then commands. A command's
   * first word is its code and, from bit 4 on, its length in words.
   */
  batchHeader: 4,
  /** kernel, workgroups; the argument block. */
  dispatch: 1,
  /** kernel, address of three u32, most workgroups a dimension; the argument block. */
  indirect: 2,
  /** to, from, bytes. */
  copy: 3,
  /** address, bytes. */
  clear: 4,
  /** address of a u64 of nanoseconds. */
  stamp: 5,

  /** Milliseconds that a worker spins before it sleeps, and that one worker takes alone before it calls others. */
  spin: 0.02,
  alone: 0.02,
} as const;

export type Layout = typeof layout;

/** The first word of a command. */
export function head(code: number, words: number): number {
  return code | (words << 4);
}
