export type { HostData, HostDType, HostTensor } from './dtypes.js';
export type { SafetensorsEntry, SafetensorsHeader } from './header.js';
export {
  parseSafetensors,
  parseSafetensorsHeader,
  readHeader,
  readSafetensors,
  readTensor,
  streamSafetensors,
} from './read.js';
export { safetensorsParts, writeSafetensors } from './write.js';
