/** The share of the pictures that a training may lose where nothing else is said. */
export const defaultMaxLost = 0.01;
