// Which passes run. All of them, but in tests: a program must mean the same with any of them off.

/** Off is the plainest way that is right: each value a kernel and bytes of its own. */
export interface Passes {
  /** Equal nodes become one. */
  readonly merge: boolean;
  /** Identities go, products with one as well; a reshape of a reshape is one reshape. */
  readonly foldViews: boolean;
  /** A transposed product is a product of transposes. */
  readonly transposeProducts: boolean;
  /** A pack takes the parts of which a sum of padded parts consists. */
  readonly adjoin: boolean;
  /** Neighbouring axes are reduced as one, long reductions in two stages. */
  readonly stageReductions: boolean;
  /** Views that strides can say are read where their elements are. */
  readonly windows: boolean;
  /** Values share kernels; what is cheap is computed where it is read. */
  readonly fuse: boolean;
  /** What frees memory goes as soon as it can. */
  readonly order: boolean;
  /** Parts of a pack are written in place. */
  readonly placeParts: boolean;
  /** Values that never live at the same time share memory. */
  readonly shareMemory: boolean;
}

export const allPasses: Passes = {
  merge: true,
  foldViews: true,
  transposeProducts: true,
  adjoin: true,
  stageReductions: true,
  windows: true,
  fuse: true,
  order: true,
  placeParts: true,
  shareMemory: true,
};
