// Everything that computes or touches files, off the page's thread.

import { ownKeys } from './job/keys.js';
import { places } from './job/places.js';
import { keptJobs, Session } from './job/session.js';
import type { Answers, Asked, Request, Told } from './messages.js';

let session: Session | undefined;
let pause = new AbortController();

self.onmessage = async ({ data: { id, request } }: MessageEvent<Asked>) => {
  try {
    tell({ id, answer: await answer(request) });
  } catch (error) {
    tell({ id, error: sentenceOf(error) });
  }
};

async function answer(request: Request): Promise<Answers[Request['kind']]> {
  const all = places();
  switch (request.kind) {
    case 'kept':
      return keptJobs(all);
    case 'open':
      return opened(Session.byAddress(all, request.address, request.key));
    case 'openFile':
      return opened(Session.byFile(all, request.file, request.key));
    case 'openKept':
      return opened(Session.byId(all, request.id));
    case 'pause':
      pause.abort();
      return null;
    case 'secretKey':
      return ownKeys(all);
    default:
      return ofJob(request);
  }
}

type OfJob = Exclude<Request, { kind: 'kept' | 'open' | 'openFile' | 'openKept' | 'pause' | 'secretKey' }>;

async function ofJob(request: OfJob): Promise<Answers[OfJob['kind']]> {
  if (!session) throw new Error('No job is open.');
  switch (request.kind) {
    case 'trust':
      return session.trust(request.name);
    case 'revoke':
      return session.revoke();
    case 'train':
      pause = new AbortController();
      return session.train(request.device, {
        signal: pause.signal,
        tell: (happening) => tell({ happening }),
      });
    case 'result':
      return session.result();
    case 'submit':
      return session.submit(request.address);
    case 'forget':
      return session.forget();
  }
}

async function opened(opening: ReturnType<typeof Session.byAddress>): Promise<Answers['open']> {
  const [next, view] = await opening;
  session = next;
  return view;
}

function tell(message: Told): void {
  self.postMessage(message);
}

/** What an error says, as a sentence, without the tag of its package. */
function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message.replace(/^\[[\w -]+\] /, '') : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
