// What people drop on the page or choose: folders of models, and pictures.

/** What was dropped. */
export interface Dropped {
  folder(name: string, files: ReadonlyMap<string, File>): void;
  picture(file: File): void;
  nothing(why: string): void;
}

/** Takes drops anywhere on the page. */
export function acceptDrops(dropped: Dropped): void {
  document.addEventListener('dragover', (event) => event.preventDefault()); // or the browser would open the file
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    const items = [...(event.dataTransfer?.items ?? [])].filter(({ kind }) => kind === 'file');
    const entries = items.map((item) => item.webkitGetAsEntry()); // has to happen before anything is waited for
    const folder = entries.find((entry) => entry?.isDirectory) as FileSystemDirectoryEntry | undefined;
    const file = items.find(({ type }) => type.startsWith('image/'))?.getAsFile();
    if (folder) {
      filesIn(folder).then(
        (files) => dropped.folder(folder.name, rooted(files)),
        (error: Error) => dropped.nothing(`The folder cannot be read: ${error.message}`),
      );
    } else if (file) dropped.picture(file);
    else dropped.nothing('Drop the folder of a model, or a picture to start from.');
  });
}

/** The files of a chosen folder. */
export function chosenFolder(list: FileList): { name: string; files: ReadonlyMap<string, File> } {
  const name = list[0]?.webkitRelativePath.split('/')[0] ?? 'model';
  const files = new Map([...list].map((file) => [file.webkitRelativePath.split('/').slice(1).join('/'), file]));
  return { name, files: rooted(files) };
}

/** Paths from where the model's index is: people also drop the folder around it. */
function rooted(files: ReadonlyMap<string, File>): ReadonlyMap<string, File> {
  const indices = [...files.keys()].filter((path) => /(^|\/)model_index\.json$/.test(path));
  const [index] = indices.sort((a, b) => a.length - b.length);
  const root = index?.slice(0, -'model_index.json'.length) ?? '';
  return new Map(
    [...files].flatMap(([path, file]) => (path.startsWith(root) ? [[path.slice(root.length), file]] : [])),
  );
}

async function filesIn(folder: FileSystemDirectoryEntry): Promise<Map<string, File>> {
  const files = new Map<string, File>();
  const visit = async (directory: FileSystemDirectoryEntry, path: string): Promise<void> => {
    const reader = directory.createReader();
    for (;;) {
      // It gives a hundred at a time, and none at the end.
      const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) return;
      for (const entry of entries) {
        if (entry.isDirectory) await visit(entry as FileSystemDirectoryEntry, `${path}${entry.name}/`);
        else files.set(`${path}${entry.name}`, await fileOf(entry as FileSystemFileEntry));
      }
    }
  };
  await visit(folder, '');
  return files;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
