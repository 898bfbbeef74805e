// Which passes run. All of them, but in tests: a program must mean the same with any of them off.

export const allPasses = {
  /** Equal nodes become one. */
  merge: true,
  /** Identities go, products with one as well; a reshape of a reshape is one reshape. */
  foldViews: true,
  /** A transposed product is a product of transposes. */
  transposeProducts: true,
  /** A pack takes the parts of which a sum of padded parts consists. */
  adjoin: true,
  /** Neighbouring axes are reduced as one, long reductions in two stages. */
  stageReductions: true,
  /** Views that strides can say are read where their elements are. */
  windows: true,
  /** Kernels of their own read operands through cheap functions of a leaf's elements. */
  prologue: true,
  /** Values share kernels; what is cheap is computed where it is read. */
  fuse: true,
  /** What frees memory goes as soon as it can. */
  order: true,
  /** Parts of a pack are written in place. */
  placeParts: true,
  /** Values that never live at the same time share memory. */
  shareMemory: true,
};

/** Off is the plainest way that is right: each value a kernel and bytes of its own. */
export type Passes = Readonly<Record<keyof typeof allPasses, boolean>>;
