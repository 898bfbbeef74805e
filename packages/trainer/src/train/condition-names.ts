/** What a network learns to draw by, as options name it: words of a list, features of captions, a class, or nothing. */
export type ConditionName = 'words' | 'text' | 'label' | 'none';

/** The names that an option may have. */
export const conditionNames: readonly ConditionName[] = ['words', 'text', 'label', 'none'];
