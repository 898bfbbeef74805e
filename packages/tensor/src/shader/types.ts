import type { BaseData } from 'typegpu/data';
import type { ComputeType } from '../graph/dtype.js';
import * as d from './data.js';

/** TypeGPU's name of each type that elements are computed in. */
export const computeTypes: Readonly<Record<ComputeType, BaseData>> = {
  f32: d.f32,
  i32: d.i32,
  u32: d.u32,
  bool: d.bool,
};
