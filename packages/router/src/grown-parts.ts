/** What of a grown router is trained: the rows of the new clusters alone, the head that they are part of, or everything. */
export type GrownPart = 'row' | 'head' | 'all';

/** The names of the parts of which a grown router may train one. */
export const grownParts: readonly GrownPart[] = ['row', 'head', 'all'];
