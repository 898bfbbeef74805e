/**
 * TypeGPU's functions that our shaders call. A shader function keeps the module that it reads them from, whole: with
 * TypeGPU's own `std` (textures, atomics, subgroups) every bundle was 5 kB of gzip larger, together with `d`.
 */
export {
  abs,
  bitcastF32toU32,
  bitcastU32toF32,
  clamp,
  exp,
  floor,
  log,
  max,
  min,
  select,
  sign,
  sqrt,
  tanh,
} from 'typegpu/std';
