// For tests: the modes that every rule is tested in; `watched` is the sanitizer.
export const modes: readonly ('scalar' | 'lanes' | 'watched')[] = ['scalar', 'lanes', 'watched'];
