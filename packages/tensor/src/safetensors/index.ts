export type { HostData, HostDType, HostTensor } from './dtypes.js';
export type { SafetensorsEntry, SafetensorsHeader } from './header.js';
export {
  parseSafetensors,
  parseSafetensorsHeader,
  type ReadOptions,
  readHeader,
  readSafetensors,
  type TensorFactory,
} from './read.js';
export { writeSafetensors } from './write.js';
