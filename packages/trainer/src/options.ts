// @paris/trainer/options: what options of trainings may be, where a program may write, and the errors that say so. It loads
// nothing that computes, so that a command line is read and checked at once.
export { DataError, InterruptedError, OutputError, RunError } from './errors.js';
export { type ExperimentName, experimentNames } from './experiment/designs/names.js';
export { type Columns, type Field, type PictureWords, pictureFields } from './node/sources/fields.js';
export { assertApart, type Place } from './output/apart.js';
export { defaultMaxLost } from './run/default-max-lost.js';
export { CODEC_RUN, expertRunName, ROUTER_RUN, STUDENT_RUN, TUNING_FILE } from './run/names.js';
export { type ConditionName, conditionNames } from './train/condition-names.js';
export { defaultObjective, defaultSize, type TransformerSize } from './train/defaults.js';
export { type LossWeight, parseLossWeight, unweighted } from './train/loss-weight.js';
export {
  type LearningRateSchedule,
  learningRateSchedules,
  precisions,
  type TrainingOptions,
  trainingDefaults,
} from './train/options.js';
export { parseTimeDensity, type TimeDensity, uniformDensity } from './train/time-density.js';
export { version } from './version.js';
