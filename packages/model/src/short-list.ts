/** Names for a message, at most eight of them: a list that stays readable when everything is wrong. */
export function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
