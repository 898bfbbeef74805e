// From an opened model to a shelf that keeps all of its weights within a budget. A page loads this only with a budget; what it
// shares with other code is handed over, so that bundlers need no further chunk for that.
import type { ModelNetworks, ReadNetwork } from '@paris/model';
import { type BudgetShelfOptions, budgetShelf } from './budget-shelf.js';
import type { ExpertShelf } from './shelf.js';

/** What a {@link loadShelf} works with. */
export interface LoadShelfOptions extends Pick<BudgetShelfOptions, 'load' | 'unload'> {
  readonly networks: ModelNetworks;
  /** How many bytes of device memory a network's weights take. */
  readonly bytesOf: (network: ReadNetwork<unknown>) => number;
  /** Most bytes of device memory that all weights may take. */
  readonly memoryBudgetBytes: number;
  /** Called with what is wrong with the budget. */
  readonly refuse: (what: string) => never;
}

/** A shelf for a model's experts. Router, codec and text encoder stay on the device, and count. */
export function loadShelf(options: LoadShelfOptions): ExpertShelf {
  const { networks, bytesOf, memoryBudgetBytes, refuse, load, unload } = options;
  const { experts, router, codec, text } = networks;
  if (!(memoryBudgetBytes > 0)) refuse(`memoryBudgetBytes is ${memoryBudgetBytes}. Give a number of bytes`);
  const sizes = experts.map(bytesOf);
  const others = [router, codec, text].filter((each) => each !== undefined);
  const otherBytes = others.reduce((sum, each) => sum + bytesOf(each), 0);
  const largest = Math.max(...sizes);
  const budgetBytes = memoryBudgetBytes - otherBytes;
  if (budgetBytes < largest) {
    refuse(
      `memoryBudgetBytes is ${memoryBudgetBytes}: the largest expert takes ${largest} and what always stays (router, codec, ` +
        `text encoder) ${otherBytes}. Give ${largest + otherBytes} or more`,
    );
  }
  return budgetShelf({ ...{ sizes, budgetBytes, load, unload }, experts: experts.map(({ network }) => network) });
}
