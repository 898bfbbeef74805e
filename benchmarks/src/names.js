// What contenders are called in results.
export const OURS = 'paris';
export const PEERS = ['jax', 'tfjs'];
/** Ours with one thread, where the adapter is the CPU: what a processor-second gives. */
export const ALONE = 'paris, one thread';
