// A model on the command line: a folder, or what has to be downloaded.

/** What `--help` says of it. */
export const MODEL_ARGUMENT = 'model folder, http(s) address, hf:owner/name, or a file of weights';

/** A model's folder on this machine, if that is what it is. */
export function folderOf(model: string | undefined): string | undefined {
  return model !== undefined && !/^[a-z][a-z0-9+.-]+:/i.test(model) ? model : undefined;
}
