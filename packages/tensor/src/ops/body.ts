// TypeGPU functions out of plain bodies: one text serves every dtype that it is right for.
import tgpu, { type TgpuFn } from 'typegpu';
import * as d from '../shader/data.js';

type Bodies = Record<'f32' | 'i32' | 'u32', TgpuFn>;

/** One float to one. */
export function floatBody(body: (x: number) => number): TgpuFn {
  return tgpu.fn([d.f32], d.f32)(body) as TgpuFn;
}

/** One number with a sign to one of its dtype. */
export function signedBodies(body: (x: number) => number): Record<'f32' | 'i32', TgpuFn> {
  return { f32: floatBody(body), i32: tgpu.fn([d.i32], d.i32)(body) as TgpuFn };
}

/** Two numbers to one of their dtype. */
export function numberBodies(body: (a: number, b: number) => number): Bodies {
  return {
    f32: tgpu.fn([d.f32, d.f32], d.f32)(body) as TgpuFn,
    i32: tgpu.fn([d.i32, d.i32], d.i32)(body) as TgpuFn,
    u32: tgpu.fn([d.u32, d.u32], d.u32)(body) as TgpuFn,
  };
}

/** Two numbers of one dtype to a truth value. */
export function comparisonBodies(body: (a: number, b: number) => boolean): Bodies {
  return {
    f32: tgpu.fn([d.f32, d.f32], d.bool)(body) as TgpuFn,
    i32: tgpu.fn([d.i32, d.i32], d.bool)(body) as TgpuFn,
    u32: tgpu.fn([d.u32, d.u32], d.bool)(body) as TgpuFn,
  };
}
