// From a mixture to a model of one expert: training the student, and putting it into a folder with what it needs.
import { type FileStore, folderStore } from '@paris/files';
import type { ModelIndex, WeightFormat } from '@paris/model';
import { assemble } from '../assemble/assemble.js';
import { assertApart } from '../output/apart.js';
import { claimOutput } from '../output/claim.js';
import { modelFolder } from '../output/kinds.js';
import { readRunData } from '../run/data.js';
import { STUDENT_RUN } from '../run/names.js';
import { type TrainStudentOptions, trainStudent } from './student.js';

/** Who is taught, and where the model goes. */
export interface DistilOptions extends TrainStudentOptions {
  /** The student's model folder: a new or an empty one, or a model to replace. */
  out: FileStore;
  /** Default: the licences of the pictures and that of the teacher, joined. */
  licence?: string | undefined;
  /** How the weights are written. Default: as they were trained. */
  weights?: WeightFormat | undefined;
}

/**
 * Trains a student (see `trainStudent`), or resumes it, and assembles it into a model of one expert, which takes the codec and the
 * text encoder of its teacher along.
 * @throws as `trainStudent` and `assemble` do
 */
export async function distil(options: DistilOptions): Promise<ModelIndex> {
  const { model, out, runs, data, licence, weights, signal } = options;
  const inputs = { runs: 'the folder of runs', data: 'the data folder', model: 'the teacher' } as const;
  await assertApart(
    'distil',
    [{ what: 'the output folder', store: out }],
    Object.entries(inputs).map(([name, what]) => ({ what, store: options[name as keyof typeof inputs] })),
  );
  await claimOutput(out, modelFolder, 'distil'); // said now, not after the training
  const { options: how } = await trainStudent(options);
  const { latents } = await readRunData(folderStore(runs, STUDENT_RUN));
  return assemble({
    ...{ runs, out, data, signal },
    ...(latents && { codec: { store: model, folder: 'codec' } }),
    ...(how.condition === 'embeddings' && { text: { store: model, folder: 'text' } }),
    ...(licence !== undefined && { licence }),
    ...(weights !== undefined && { weights }),
  });
}
