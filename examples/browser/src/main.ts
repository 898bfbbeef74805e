// The page: opens a model, draws with it, and keeps what was drawn. It computes nothing itself; an engine does.
import { DeviceLost, type Engine, type Finished } from './engine/engine.js';
import { openLocal } from './engine/local.js';
import type { ModelSource } from './engine/messages.js';
import { KeyNeeded, openServer, type ServerAddress } from './engine/server.js';
import { find, make, sentenceOf } from './view/dom.js';
import { acceptDrops } from './view/drop.js';
import { History } from './view/history.js';
import { askForKey, askForModel, chosenMemory, connectDialog } from './view/open.js';
import { anySeed, draftOf, fault, offer, onDraft, read, type Settings, write } from './view/settings.js';
import { Stage } from './view/stage.js';
import { StartPicture } from './view/start.js';
import { showWords } from './view/words.js';

const status = find('#status');
const progress = find<HTMLProgressElement>('#progress');
const say = (text: string) => {
  status.textContent = text;
};

let engine: Engine | undefined;
let stage: Stage | undefined;
let drawing: AbortController | undefined;
/** Opens the engine's model once more. */
let reopen: (() => Promise<boolean>) | undefined;
/** Whether the engine's device is gone. */
let isLost = false;
/** Models that were asked for. */
let openings = 0;
/** What is on the stage. */
let shown: Settings | undefined;

const start = new StartPicture(say, (settings) => {
  write(settings);
  start.remove();
  say('The form has the settings of that picture. Draw it again, or change something first.');
});
const history = new History({ again: (settings) => void again(settings), like });

connectDialog({ folder, url: openUrl, server: (url, apiKey) => openAt({ url, apiKey }) });
acceptDrops({ folder, picture: (file) => void start.take(file), nothing: say });
const form = find<HTMLFormElement>('#draw');
form.onsubmit = (event) => {
  event.preventDefault();
  const wrong = fault();
  if (wrong) say(wrong);
  else void draw(read(start.value));
};
onDraft(() => {
  if (form.matches(':valid')) void draw(draftOf(read(start.value)), { isDraft: true });
});
find('#stop').onclick = () => drawing?.abort();
openFirst();

/** The model that the page was made for; `?model=ADDRESS` opens another folder. */
function openFirst(): void {
  const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name=${name}]`);
  const server = meta('paris-server');
  const asked = new URLSearchParams(location.search).get('model');
  if (asked) openUrl(new URL(asked, document.baseURI).href);
  else if (server) {
    find('#links').replaceChildren(make('a', { href: './docs' }, 'The API of this server'));
    openAt({ url: new URL('.', document.baseURI).href, model: server.content, apiKey: '' });
  }
  if (!asked && !server) openUrl(new URL(meta('paris-model')?.content ?? '.', document.baseURI).href);
}

function folder(name: string, files: ReadonlyMap<string, File>): void {
  void open(name, () => openHere({ files }, name));
}

function openUrl(url: string): void {
  const name = decodeURIComponent(new URL(url).pathname.split('/').filter(Boolean).at(-1) ?? 'Paris');
  void open(name, () => openHere({ url }, name));
}

function openHere(source: ModelSource, name: string): Promise<Engine> {
  return openLocal(source, name, chosenMemory(), (loadedBytes, totalBytes) => {
    progress.hidden = false;
    progress.value = loadedBytes / totalBytes;
  });
}

function openAt(address: ServerAddress): void {
  void open(address.url, async () => {
    try {
      return await openServer(address);
    } catch (error) {
      if (error instanceof KeyNeeded) askForKey(address.url, error.message);
      throw error;
    }
  });
}

/** Puts another model in place of this one, if it opens. @returns whether it did */
async function open(what: string, how: () => Promise<Engine>): Promise<boolean> {
  endDrawing();
  openings += 1;
  const mine = openings;
  find<HTMLButtonElement>('#go').disabled = true;
  say(`Loading ${what} …`);
  try {
    const opened = await how();
    if (mine !== openings) {
      opened.close(); // another one was asked for since
      return false;
    }
    endDrawing(); // one of the history's, begun since
    engine?.close();
    engine = opened;
    isLost = false;
    reopen = () => open(what, how);
    showModel(opened);
    return true;
  } catch (error) {
    if (mine !== openings) return false;
    const why = `${what} did not open: ${sentenceOf(error)}`;
    const left = isLost ? ' The GPU was lost: draw to try again.' : ` The page still has ${engine?.model.name}.`;
    say(`${why}${engine ? left : ''}`);
    if (!engine && !find<HTMLDialogElement>('#opening').open) askForModel(why);
    return false;
  } finally {
    if (mine === openings) {
      progress.hidden = true;
      find<HTMLButtonElement>('#go').disabled = !engine;
    }
  }
}

/** Stops what is being drawn without waiting for it: the page is free at once. */
function endDrawing(): void {
  if (!drawing) return;
  drawing.abort();
  drawing = undefined;
  stage?.rest();
  setBusy(false);
}

function showModel({ model }: Engine): void {
  find('#title').textContent = document.title = model.name;
  const experts = model.experts === 1 ? 'One expert' : `${model.experts} experts that never met`;
  find('#about').textContent = `${experts}, ${model.width}×${model.height} pixels, ${model.place}.`;
  find('#licence').textContent = model.licence ? `Licence of the model: ${model.licence}.` : '';
  stage = new Stage(model.experts, {
    like: (place) => shown && like(shown, place),
    startFrom: (png) => void start.take(png),
  });
  offer(model);
  showWords(model);
  start.resize(model.width, model.height);
  say('Ready.');
}

/** Draws what is asked for, all of it or until it is stopped. */
async function draw(settings: Settings, { isDraft = false } = {}): Promise<void> {
  if (!engine || !stage) return;
  drawing?.abort();
  const control = new AbortController();
  drawing = control;
  shown = settings;
  const { request, compared } = settings;
  const artist = engine; // the page's may be another one before this ends
  const names = captions(settings, artist.model.routing);
  stage.begin(names);
  setBusy(true);
  say('Drawing …');
  const pictures: Blob[] = [];
  const began = performance.now();
  try {
    // Policies draw one after the other, a picture each, all from one seed.
    const requests = compared.length > 0 ? compared.map((routing) => ({ ...request, routing, count: 1 })) : [request];
    for (const [i, each] of requests.entries()) {
      await artist.draw(each, shower(i, requests.length, { names, pictures, prompt: request.prompt }), control.signal);
    }
    if (drawing !== control) return; // another one has begun, or another model is opened
    if (!isDraft) history.add({ settings, pictures });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(
      isDraft
        ? 'A draft.'
        : `${pictures.length === 1 ? 'One picture' : `${pictures.length} pictures`} in ${seconds} s.`,
    );
  } catch (error) {
    if (drawing !== control) return;
    say(control.signal.aborted ? 'Stopped.' : sentenceOf(error));
    isLost = error instanceof DeviceLost;
  }
  endDrawing();
  if (isLost && (await reopen?.())) say('The GPU was lost, and the model was loaded again. Draw once more.');
}

/** Shows the drawing of one of several requests. */
function shower(
  round: number,
  rounds: number,
  { names, pictures, prompt }: { names: readonly string[]; pictures: Blob[]; prompt: string },
) {
  const mine = drawing;
  const isOld = () => drawing !== mine;
  return {
    step(event: Parameters<Stage['step']>[1]) {
      if (isOld()) return event.preview.close();
      stage!.step(round + event.picture, event);
      progress.value = (round + (event.step + 1) / event.steps) / rounds;
    },
    finished(event: Finished) {
      if (isOld()) return;
      const place = round + event.picture;
      pictures[place] = event.png;
      void stage!.finished(place, event, `${prompt || 'anything'}, ${names[place]}`);
    },
  };
}

/** What stands under each picture. */
function captions({ request, compared }: Settings, usual: string): string[] {
  const { seed, picture, count, moves = [], variation, routing } = request;
  const from = (first: number) =>
    [`seed ${seed}, picture ${first}`, ...moves.map((move) => `${move.picture} of ${move.seed}`)].join(' → ');
  if (compared.length > 0) return compared.map((policy) => `${policy}, seed ${seed}`);
  const by = routing || usual;
  return Array.from({ length: count }, (_, i) =>
    variation ? `like ${from(picture)}: ${i}, ${by}` : `${from(picture + i)}, ${by}`,
  );
}

async function again(settings: Settings): Promise<void> {
  write(settings);
  await start.restore(settings.request.start);
  await draw(settings);
  status.scrollIntoView({ block: 'nearest' });
}

/** Pictures whose noise is near to that of one that was drawn; if that is a variation, to what it had become. */
function like(settings: Settings, place: number): void {
  const { request, compared } = settings;
  const { variation } = request;
  const isOne = variation !== undefined || compared.length > 0; // all places are of one picture of the seed
  const moves = [
    ...(request.moves ?? []),
    ...(variation ? [{ ...variation, picture: compared.length > 0 ? 0 : place }] : []),
  ];
  const varied: Settings = {
    request: {
      ...request,
      picture: request.picture + (isOne ? 0 : place),
      ...(moves.length > 0 && { moves }),
      routing: compared[place] ?? request.routing,
      count: Math.min(4, engine?.model.maxPictures ?? 4),
      variation: { seed: anySeed(), strength: variation?.strength ?? 0.3 },
    },
    compared: [],
  };
  void again(varied);
}

function setBusy(busy: boolean): void {
  find('#stop').hidden = !busy;
  progress.hidden = !busy;
  progress.value = 0;
  document.body.setAttribute('aria-busy', String(busy));
}
