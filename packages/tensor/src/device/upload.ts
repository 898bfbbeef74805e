// From a file's tensors to a device's.
import type { HostTensor } from '@paris/files/safetensors';
import { type FloatDType, isFloat } from '../graph/dtype.js';
import type { Tensor } from '../tensor.js';
import type { Device } from './device.js';

/**
 * A tensor of the host on a device: bf16 as f32, u8 as u32.
 * @param floats - what floats become there. Default: what they are, and f32 for bf16.
 */
export function uploadTensor(device: Device, { data, shape, dtype }: HostTensor, floats?: FloatDType): Tensor {
  if (dtype === 'u8') return device.tensor(Uint32Array.from(data), { shape, dtype: 'u32' });
  if (dtype === 'bf16') return device.tensor(data, { shape, dtype: floats ?? 'f32' });
  return device.tensor(data, { shape, dtype: isFloat(dtype) ? (floats ?? dtype) : dtype });
}
