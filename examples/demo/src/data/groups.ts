// Unicode gives some pictures several codepoints: the flags of Norway and of Bouvet Island are the same file. Splitting by
// codepoint alone would put one of them into training and the other into the test set, so their groups become one.

/**
 * Joins the groups of items that are the same file.
 * @param items - anything with a group
 * @param digests - one per item, equal for equal files
 * @returns the new group of each item: the alphabetically first name of those joined
 */
export function mergeGroups(items: readonly { readonly group: string }[], digests: readonly string[]): string[] {
  const parents = new Map<string, string>();
  const rootOf = (group: string): string => {
    const parent = parents.get(group) ?? group;
    return parent === group ? group : rootOf(parent);
  };
  const firstWith = new Map<string, string>();
  items.forEach(({ group }, i) => {
    const digest = digests[i]!;
    const first = firstWith.get(digest) ?? group;
    firstWith.set(digest, first);
    const [low, high] = [rootOf(first), rootOf(group)].sort() as [string, string];
    parents.set(high, low);
  });
  return items.map(({ group }) => rootOf(group));
}
