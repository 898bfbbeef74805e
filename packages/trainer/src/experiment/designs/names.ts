/** The name of an experiment. */
export type ExperimentName = 'main' | 'clusters' | 'objectives' | 'alignment' | 'compute';

/** The names of the experiments. */
export const experimentNames: readonly ExperimentName[] = ['main', 'clusters', 'objectives', 'alignment', 'compute'];
