// The volunteer's page: a job is opened, agreed to, trained, and its result handed in. It computes nothing; a worker does.
import { ask, onHappening } from './ask.js';
import type { JobView } from './messages.js';
import { find, make } from './view/dom.js';
import { showJob, showKept, showTrust } from './view/job.js';
import { showHappening, showRun } from './view/work.js';

const query = new URLSearchParams(location.search);
/** Results are handed in to the page's own server only. */
const resultsAddress = new URL(query.get('results') ?? 'results', location.href);
const device = query.get('device');

let job: JobView | undefined;

function say(message: string): void {
  find('#status').textContent = message;
}

/** Runs something that the volunteer asked for; what goes wrong is said in its sentence. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

async function open(opening: Promise<JobView>): Promise<void> {
  say('Opening the job …');
  find('#open').hidden = true;
  try {
    const opened = await opening;
    job = opened;
    showJob(opened);
    find('#more').hidden = false;
    find('#hand-in').hidden = true;
    if (opened.trust.trusted) await showWork(opened);
    else {
      find('#work').hidden = true;
      say('Look at the job. Nothing is trained before you agree.');
    }
    if (opened.isKeptCopy) say('Its address does not answer now. This is the copy that the browser kept.');
  } catch (error) {
    await showOpening();
    throw error;
  }
}

async function showWork({ run, steps }: JobView): Promise<void> {
  showRun(run, steps);
  find('#train').hidden = run.state === 'finished';
  if (run.state === 'finished') return showResult();
  say(run.state === 'new' ? 'Ready.' : `Paused after step ${run.step}. It is kept in this browser.`);
}

async function showOpening(): Promise<void> {
  find('#open').hidden = false;
  for (const part of ['#job', '#work', '#hand-in', '#more']) find(part).hidden = true;
  const openKept = (id: string) => void attempt(() => open(ask({ kind: 'openKept', id })));
  showKept(await ask({ kind: 'kept' }).catch(() => []), openKept);
}

function setBusy(busy: boolean): void {
  document.body.setAttribute('aria-busy', String(busy));
  find('#train').hidden = busy;
  find('#pause').hidden = !busy;
  for (const part of ['#forget', '#revoke']) find<HTMLButtonElement>(part).disabled = busy;
}

async function train(): Promise<void> {
  if (!job) return;
  setBusy(true);
  say('Compiling kernels …');
  try {
    await navigator.storage?.persist?.(); // a browser that is short of space removes other sites' files first
    const chosen = device === 'cpu' || device === 'webgpu' ? device : undefined;
    const { finished, step } = await ask({ kind: 'train', device: chosen });
    find('#train').textContent = 'Resume';
    setBusy(false);
    if (finished) {
      find('#train').hidden = true;
      await showResult();
      find('#submit').focus();
    } else {
      say(`Paused after step ${step}. You may close the page: it is kept in this browser.`);
      find('#train').focus();
    }
  } catch (error) {
    setBusy(false);
    find('#train').textContent = 'Resume';
    throw error;
  }
}

async function showResult(): Promise<void> {
  const { name, bundle, publicKey } = await ask({ kind: 'result' });
  find('#download').onclick = () => save(bundle, name);
  find('#own-key').textContent = publicKey;
  find('#receipt').textContent = '';
  find('#submit').hidden = resultsAddress.origin !== location.origin;
  find('#hand-in').hidden = false;
  say('All steps are done. Hand the result in.');
}

/** A file for the volunteer's own folders. */
function save(content: Blob, name: string): void {
  const href = URL.createObjectURL(content);
  make('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

onHappening((happening) => {
  if (happening.kind === 'progress')
    say('Training. You may pause, or close the page: it resumes from the last checkpoint.');
  showHappening(happening);
});

find<HTMLFormElement>('#open-form').onsubmit = (event) => {
  event.preventDefault();
  const address = find<HTMLInputElement>('#address').value.trim();
  void attempt(async () => {
    if (!URL.canParse(address, location.href)) throw new Error('Type the address of a job, or choose a file.');
    // What people copy is the link of a page like this one: the job that it names is meant.
    const link = new URL(address, location.href);
    const job = link.searchParams.get('job');
    const key = link.searchParams.get('key') ?? undefined;
    await open(ask({ kind: 'open', address: job === null ? link.href : new URL(job, link).href, key }));
  });
};
find<HTMLInputElement>('#file').onchange = ({ target }) => {
  const file = (target as HTMLInputElement).files?.[0];
  if (file) void attempt(() => open(ask({ kind: 'openFile', file })));
};
find<HTMLFormElement>('#agree').onsubmit = (event) => {
  event.preventDefault();
  const name = find<HTMLInputElement>('#agree-name').value;
  void attempt(async () => {
    if (!job) return;
    await ask({ kind: 'trust', name });
    job.trust = { trusted: true, name };
    showTrust(job);
    await showWork(job);
    find('#train').focus();
  });
};
find('#revoke').onclick = () =>
  void attempt(async () => {
    await ask({ kind: 'revoke' });
    await showOpening();
    say('You no longer work for that key: its jobs are refused in this browser.');
  });
find('#train').onclick = () => void attempt(train);
find('#pause').onclick = () => {
  say('Pausing: a checkpoint is written first …');
  void attempt(async () => {
    await ask({ kind: 'pause' });
  });
};
find('#submit').onclick = () =>
  void attempt(async () => {
    const receipt = find('#receipt');
    receipt.textContent = 'Sending …';
    try {
      receipt.textContent = (await ask({ kind: 'submit', address: resultsAddress.href })).receipt;
    } catch (error) {
      receipt.textContent = (error as Error).message;
    }
  });
find('#save-key').onclick = () =>
  void attempt(async () => {
    const { secretKey } = await ask({ kind: 'secretKey' });
    save(new Blob([`${secretKey}\n`], { type: 'text/plain' }), 'my.key');
  });
find('#forget').onclick = () =>
  void attempt(async () => {
    if (!confirm('Remove the job, its training and its result from this browser?')) return;
    await ask({ kind: 'forget' });
    await showOpening();
    say('Removed.');
  });

const address = query.get('job');
if (address === null) {
  void attempt(async () => {
    await showOpening();
    say('Open a job to begin, or go on with one.');
  });
} else {
  const key = query.get('key') ?? undefined;
  void attempt(() => open(ask({ kind: 'open', address: new URL(address, location.href).href, key })));
}
