// The dialog that opens models: from this device, from an address, or on a server.

import type { ModelMemory } from '../engine/messages.js';
import { find } from './dom.js';
import { chosenFolder } from './drop.js';

/** What the dialog asks for. */
export interface Openers {
  folder(name: string, files: ReadonlyMap<string, File>): void;
  url(url: string): void;
  server(url: string, apiKey: string): void;
}

const dialog = find<HTMLDialogElement>('#opening');
const why = find('#opening-why');
const server = find<HTMLInputElement>('#server-url');
const key = find<HTMLInputElement>('#server-key');

/** What the dialog says of memory; it counts for what is dropped, too. */
export function chosenMemory(): ModelMemory {
  const weights = find<HTMLSelectElement>('#model-weights').value as ModelMemory['weights'];
  const gibibytes = find<HTMLInputElement>('#model-memory').valueAsNumber;
  return { weights, mostBytes: gibibytes > 0 ? Math.floor(gibibytes * 2 ** 30) : undefined };
}

/** Opens the dialog, with a sentence on why. */
export function askForModel(reason = ''): void {
  why.textContent = reason;
  if (!dialog.open) dialog.showModal();
}

/** Opens it at the key of a server. */
export function askForKey(url: string, reason: string): void {
  askForModel(`${reason} Give its key and connect again.`);
  server.value = url;
  key.focus();
}

export function connectDialog(openers: Openers): void {
  find('#open-model').onclick = () => askForModel();
  find('#opening-close').onclick = () => dialog.close();
  const folder = find<HTMLInputElement>('#model-folder');
  folder.onchange = () => {
    if (!folder.files?.length) return;
    const { name, files } = chosenFolder(folder.files);
    dialog.close();
    openers.folder(name, files);
    folder.value = '';
  };
  const onAddress = (button: string, input: HTMLInputElement, open: (url: string) => void) => {
    const go = () => {
      const url = absolute(input.value);
      if (!url) {
        why.textContent = `“${input.value}” is no address. Write one such as ${input.placeholder}`;
        return input.focus();
      }
      dialog.close();
      open(url);
    };
    find(button).onclick = go;
    input.onkeydown = (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault(); // Enter would close the dialog
      go();
    };
  };
  onAddress('#open-url', find('#model-url'), openers.url);
  onAddress('#open-server', server, (url) => openers.server(url, key.value));
  key.onkeydown = (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    find('#open-server').click();
  };
}

function absolute(text: string): string | undefined {
  if (text.trim() === '' || !URL.canParse(text.trim(), document.baseURI)) return undefined;
  const url = new URL(text.trim(), document.baseURI);
  return /^https?:$/.test(url.protocol) ? url.href : undefined;
}
