// @paris/tensor: lazy tensors, autograd and compiled plans on WebGPU. Contains nothing specific to diffusion.
export { type Gradient, grad, valueAndGrad, vjp } from './autodiff/gradient.js';
export { rematerialise } from './autodiff/rematerialise.js';
export type { KernelCost } from './compile/cost.js';
export type { CompiledArguments, CompiledFunction, CompileOptions } from './device/compiled.js';
export { Device, type TensorsOf } from './device/device.js';
export type { AdapterSource } from './device/gpu.js';
export type { HostData } from './device/host.js';
export type { DeviceCounters, DeviceInfo } from './device/info.js';
export { type OpenDeviceOptions, openDevice } from './device/open.js';
export type { KernelProfile, KernelRun, Profile, Roofline } from './device/profile.js';
export { type AttentionShape, type TuneOptions, type TuneProgress, tune } from './device/tune.js';
export { uploadTensor } from './device/upload.js';
export * from './errors.js';
export { type ComputeType, type DType, dtypeBytes, type FloatDType, type HostArray } from './graph/dtype.js';
export type { Type as TensorType } from './graph/node.js';
export type { Accumulator, HostElements, NoGradient } from './graph/op.js';
export type { ElementKernel, ShaderFunction } from './graph/shader-function.js';
export type { Shape } from './graph/shape.js';
export type { MatmulShape } from './kernels/matmul/choose.js';
export { parseTuningTable, type TuningTable } from './kernels/tuning.js';
export { hostAtan, hostCos, hostExp, hostLog, hostPow, hostSin } from './math/host.js';
export * from './ops/activation/activations.js';
export { elu, leakyRelu } from './ops/activation/elu.js';
export { add, divide, maximum, minimum, multiply, negate, square, subtract } from './ops/arithmetic/arithmetic.js';
export * from './ops/arithmetic/functions.js';
export { pow } from './ops/arithmetic/pow.js';
export { type AttentionOptions, attention } from './ops/attention/attention.js';
export { cast } from './ops/cast.js';
export {
  equal,
  finite,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
} from './ops/compare/comparisons.js';
export { arange, full, ones, scalar, zeros } from './ops/creation/constant.js';
export * from './ops/define/define-op.js';
export * from './ops/define/elementwise.js';
export type { Named, OpHandle } from './ops/define/names.js';
export { none as noGradient, zeroGradient } from './ops/define/op.js';
export { type ReductionDefinition, type ReductionFunction, reduction } from './ops/define/reduction.js';
export { type Conv2dOptions, type ConvTranspose2dOptions, conv2d, convTranspose2d } from './ops/image/convolutions.js';
export { type ResizeMode, resize } from './ops/image/resize.js';
export {
  type AvgPool2dOptions,
  avgPool2d,
  fold,
  maxPool2d,
  type Pair,
  type Pool2dOptions,
  type Windows,
  windows,
} from './ops/image/windows.js';
export { embedding, gather, oneHot, scatterAdd } from './ops/index/indices.js';
export { crossEntropy, mse } from './ops/loss/losses.js';
export { einsum } from './ops/matmul/einsum.js';
export { matmul } from './ops/matmul/matmul.js';
export { cumsum, logSoftmax, softmax } from './ops/normalize/along.js';
export { groupNorm, layerNorm, type NormOptions, rmsNorm } from './ops/normalize/norms.js';
export { type Ordered, type SortOptions, sort, type TopKOptions, topK } from './ops/order/order.js';
export { pack, unpack } from './ops/pack.js';
export { type PackedBits, unpackIntegers } from './ops/packed/unpack-integers.js';
export { normal, permutation, randomBits, TensorKey, uniform } from './ops/random/random.js';
export { all, any, argmax, argmin, logSumExp, max, mean, min, prod, sum } from './ops/reduce/reductions.js';
export { stopGradient } from './ops/view/identity.js';
export { concat, pad, type SliceRange, slice, split, stack } from './ops/view/parts.js';
export { tril, triu } from './ops/view/triangle.js';
export { expand, flip, permute, reshape, transpose } from './ops/view/views.js';
export { clamp, where } from './ops/where.js';
export { hostBits, hostNormal, hostPermutation, hostUniform, Key, key } from './random/index.js';
export { type ReduceOptions, Tensor, type TensorLike } from './tensor.js';
export * from './tree.js';
