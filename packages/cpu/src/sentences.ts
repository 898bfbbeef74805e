/** The sentences of `say` by number: what stands before, between and after their operands. The build puts them here. */
export const sentences: readonly (readonly string[])[] = [];
