/** The share of the pictures that a training may lose unless it is told otherwise. */
export const defaultMaxLost = 0.01;
