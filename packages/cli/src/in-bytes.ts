// An amount of memory as people read it.

/** `2,423.9 MB` */
export function inBytes(bytes: number): string {
  const [unit, name] = bytes < 1e5 ? [1e3, 'kB'] : [1e6, 'MB'];
  return `${(bytes / unit).toLocaleString('en', { maximumFractionDigits: 1 })} ${name}`;
}
