// Where this browser keeps what: in the private files of the page's origin, which no other site sees.
//
//   volunteer/my.key               the volunteer's secret key
//   volunteer/trusted.txt          whom they work for: the list of keys that `paris … --trust` reads
//   volunteer/jobs/ID/job.paris    a job as it came
//   volunteer/jobs/ID/address.txt where it came from
//   volunteer/jobs/ID/runs/        the training
import { type FileStore, folderStore, opfsStore } from '@paris/files';

export const JOB_FILE = 'job.paris';
export const ADDRESS_FILE = 'address.txt';
export const KEY_FILE = 'my.key';
export const TRUST_FILE = 'trusted.txt';

/** @throws Error with a sentence if the browser keeps no files here */
export function places(): FileStore {
  if (!navigator.storage?.getDirectory || !navigator.locks) {
    throw new Error(
      'This browser keeps no files for pages here, so a training could not be resumed. Use a current browser, over https, and no private window.',
    );
  }
  return opfsStore('volunteer');
}

/** The folder of one job. */
export function jobFolder(store: FileStore, id: string): FileStore {
  return folderStore(store, `jobs/${id}`);
}

/** Names of the jobs that are kept. */
export async function jobIds(store: FileStore): Promise<string[]> {
  const files = await store.list('jobs');
  const found = files.flatMap((path) => {
    const [, id = '', name] = path.split('/');
    return name === JOB_FILE ? [id] : [];
  });
  return [...new Set(found)];
}
