// Everything that a command prints goes through here or through its reporter: what names and files say cannot steer a terminal.
import { printable } from '@paris/files';

/** Prints lines to stdout. Line breaks are the caller's; what came from elsewhere must have lost its own before. */
export function printText(text: string): void {
  console.log(text.split('\n').map(printable).join('\n'));
}

/** JSON in one line, in which a terminal finds nothing to obey: what JSON leaves as it is stands as `\\uXXXX`. */
export function jsonLine(value: unknown): string {
  return printable(JSON.stringify(value));
}
