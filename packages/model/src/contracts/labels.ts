/** The classes that an expert knows, for conditions of kind 'label'. */
export interface LabelSet {
  /** How many. This number itself stands for "anything". */
  readonly classes: number;
  /** By class: one name or several, with commas between them. Left out: classes are asked for by number. */
  readonly names?: readonly string[] | undefined;
}

/** The classes of an expert whose config says `condition: { kind: 'label', classes }`, which was checked; else undefined. */
export function labelsOf(config: unknown): LabelSet | undefined {
  const { condition } = config as { condition?: { kind?: unknown } & LabelSet };
  return condition?.kind === 'label' ? condition : undefined;
}
