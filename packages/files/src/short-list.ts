/** Names for a message, at most eight of them and 200 letters of each: a list that stays readable when everything is wrong. */
export function shortList(names: readonly string[]): string {
  const shown = names
    .slice(0, 8)
    .map((name) => (name.length > 200 ? `${name.slice(0, 200)}…` : name))
    .join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
