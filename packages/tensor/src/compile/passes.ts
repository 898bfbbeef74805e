// Which passes run. Outside tests, all of them: a program must compute the same with any of them off.

export const allPasses = {
  /** Equal nodes become one. */
  merge: true,
  /** Identities and products with one are removed; a reshape of a reshape becomes one reshape. */
  foldViews: true,
  /** A transposed product is a product of transposes. */
  transposeProducts: true,
  /** A pack takes the parts of which a sum of padded parts consists. */
  adjoin: true,
  /** Neighbouring axes are reduced as one, long reductions in two stages. */
  stageReductions: true,
  /** Views that strides can express are read in place. */
  windows: true,
  /** Kernels of their own read operands through cheap functions of a leaf's elements. */
  prologue: true,
  /** Values share kernels; what is cheap is computed where it is read. */
  fuse: true,
  /** Kernels that free memory run as soon as they can. */
  order: true,
  /** Parts of a pack are written in place. */
  placeParts: true,
  /** Values that never live at the same time share memory. */
  shareMemory: true,
};

/** All off is the simplest correct program: each value has a kernel and memory of its own. */
export type Passes = Readonly<Record<keyof typeof allPasses, boolean>>;
