// A folder that was dropped or chosen, as the library reads files.
import { checkPath, checkRange, checkSize, FileNotFoundError, type FileSource } from '@paris/files';

/** Files by path, read span by span: no more of a large model is in memory than is needed. */
export function filesSource(files: ReadonlyMap<string, File>): FileSource {
  const fileOf = (path: string): File => {
    const file = files.get(checkPath(path));
    if (!file) throw new FileNotFoundError('open', `The folder has no ${path}. Choose the whole folder of the model.`);
    return file;
  };
  return {
    async read(path, range, options = {}) {
      const file = fileOf(path);
      if (range) checkRange(path, range, file.size);
      else checkSize(path, options, file.size);
      const part = range ? file.slice(range.offset, range.offset + range.length) : file;
      return new Uint8Array(await part.arrayBuffer());
    },
    size: async (path) => fileOf(path).size,
    exists: async (path) => files.has(checkPath(path)),
  };
}
