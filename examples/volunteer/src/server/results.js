// Results as they come in. A result is kept if its signature holds, its files are sound, and it says that it is the training of a job
// that is given out here. Whether that is true, `paris verify` finds by replaying it; the gate of `paris assemble` looks at its weights.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { link, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertAnswers, openJob, openResult } from '@paris/trainer';
import { jobNames } from './files.js';

/** A refusal with its status. */
export class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {{ jobs: string, results: string, trust?: import('@paris/trainer').TrustList, mostResults: number }} where
 */
export function resultsFolder({ jobs, results, trust, mostResults }) {
  mkdirSync(results, { recursive: true });

  /**
   * Checks a result and keeps it. @param {Uint8Array} bytes
   * @returns {Promise<string>} a sentence for the volunteer. @throws Refusal
   */
  async function take(bytes) {
    const opened = await openResult(bytes, trust).catch((/** @type {Error} */ error) => {
      throw new Refusal(422, plain(error));
    });
    await assertAsked(opened);
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const name = `${opened.name}-${hash}.paris`;
    const kept = await readdir(results);
    if (kept.includes(name)) return `Thank you. This result is here already, as ${name}.`;
    if (kept.length >= mostResults)
      throw new Refusal(507, 'There is no room for more results. Tell the operator of this server.');
    await writeNew(join(results, name), bytes);
    return `Thank you. The result is kept as ${name}. It will be checked before it becomes part of a model.`;
  }

  /** @param {import('@paris/trainer').OpenedResult} opened */
  async function assertAsked(opened) {
    /** @type {Error | undefined} */
    let nearest;
    for (const name of jobNames(jobs)) {
      const asked = await openJob(readFileSync(join(jobs, name))).catch(() => undefined);
      if (asked?.job.identity.cluster !== opened.record.cluster) continue;
      try {
        return await assertAnswers(opened, asked.job);
      } catch (error) {
        nearest = /** @type {Error} */ (error);
      }
    }
    throw new Refusal(422, nearest ? plain(nearest) : `${opened.name} is no training that was asked for here.`);
  }

  return { take };
}

/** A file that is there is whole: it is written under another name first. @param {string} file @param {Uint8Array} bytes */
async function writeNew(file, bytes) {
  const temporary = `${file}.${process.pid}.temporary`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    await link(temporary, file).catch((/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code !== 'EEXIST') throw error; // the same bytes came twice at once
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What an error says, as a sentence, without the tag of its package. @param {Error} error */
function plain({ message }) {
  const text = message.replace(/^\[[\w -]+\] /, '');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
