export type { HostData, HostDType, HostTensor } from './dtypes.js';
export type { SafetensorsEntry, SafetensorsHeader } from './header.js';
export * from './read.js';
export { writeSafetensors } from './write.js';
