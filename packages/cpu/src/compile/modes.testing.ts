// For tests: the modes that every rule is tested in.
export const modes: readonly ('scalar' | 'lanes')[] = ['scalar', 'lanes'];
