// Weights in the formats that others write: safetensors in one file or several, and PyTorch's zip checkpoints.
export type { Checkpoint, CheckpointEntry } from './checkpoint.js';
export { type OpenCheckpointOptions, openCheckpoint } from './open.js';
