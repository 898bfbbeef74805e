/** A word of a shell's command: as it is where nothing in it means anything to one. */
export function quoted(text: string): string {
  return /^[\w./:=@%+,#-]+$/.test(text) && !text.startsWith('#') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Arguments in which the cluster is a variable of the shell. */
export function withCluster(args: readonly string[], variable: string): string {
  return args.map((arg, i) => (args[i - 1] === '--cluster' ? `"$${variable}"` : quoted(arg))).join(' ');
}
