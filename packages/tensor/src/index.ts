// @paris/tensor: lazy tensors, autograd and compiled plans on WebGPU. Knows nothing of diffusion.
export { type Gradient, grad, valueAndGrad, vjp } from './autodiff/gradient.js';
export { rematerialise } from './autodiff/rematerialise.js';
export type { KernelCost } from './compile/cost.js';
export type { CompiledFunction, CompileOptions } from './device/compiled.js';
export { Device, type DeviceCounters, type DeviceInfo, type TensorsOf } from './device/device.js';
export type { HostData } from './device/host.js';
export { type OpenDeviceOptions, openDevice } from './device/open.js';
export type { KernelProfile, KernelRun, Profile, Roofline } from './device/profile.js';
export { type AttentionShape, type TuneOptions, type TuneProgress, tune } from './device/tune.js';
export * from './errors.js';
export { type ComputeType, type DType, dtypeBytes, type FloatDType, type HostArray } from './graph/dtype.js';
export type { Type as TensorType } from './graph/node.js';
export type { Shape } from './graph/shape.js';
export type { MatmulShape } from './kernels/matmul/index.js';
export { parseTuningTable, type TuningTable } from './kernels/tuning.js';
export { gelu } from './ops/activation/gelu.js';
export { relu } from './ops/activation/relu.js';
export { sigmoid } from './ops/activation/sigmoid.js';
export { silu } from './ops/activation/silu.js';
export { tanh } from './ops/activation/tanh.js';
export { abs } from './ops/arithmetic/abs.js';
export { add } from './ops/arithmetic/add.js';
export { divide } from './ops/arithmetic/divide.js';
export { exp } from './ops/arithmetic/exp.js';
export { floor } from './ops/arithmetic/floor.js';
export { log } from './ops/arithmetic/log.js';
export { maximum } from './ops/arithmetic/maximum.js';
export { minimum } from './ops/arithmetic/minimum.js';
export { multiply } from './ops/arithmetic/multiply.js';
export { negate } from './ops/arithmetic/negate.js';
export { pow } from './ops/arithmetic/pow.js';
export { reciprocal } from './ops/arithmetic/reciprocal.js';
export { rsqrt } from './ops/arithmetic/rsqrt.js';
export { sign } from './ops/arithmetic/sign.js';
export { sqrt } from './ops/arithmetic/sqrt.js';
export { square } from './ops/arithmetic/square.js';
export { subtract } from './ops/arithmetic/subtract.js';
export { type AttentionOptions, attention } from './ops/attention/attention.js';
export { cast } from './ops/cast.js';
export { equal } from './ops/compare/equal.js';
export { finite } from './ops/compare/finite.js';
export { greater } from './ops/compare/greater.js';
export { greaterEqual } from './ops/compare/greaterEqual.js';
export { less } from './ops/compare/less.js';
export { lessEqual } from './ops/compare/lessEqual.js';
export { logicalAnd, logicalNot, logicalOr } from './ops/compare/logical.js';
export { notEqual } from './ops/compare/notEqual.js';
export { arange } from './ops/creation/arange.js';
export { full, ones, scalar, zeros } from './ops/creation/constant.js';
export {
  type AttributeValue,
  type CompositeDefinition,
  type DefinedOp,
  defineOp,
  type Each,
  type Kernel,
  type KernelContext,
  type KernelDefinition,
  type OpAttributes,
  type OpDefinition,
  type Results,
} from './ops/custom/defineOp.js';
export {
  type ElementwiseContext,
  type ElementwiseDefinition,
  type ElementwiseFunction,
  elementwise,
} from './ops/custom/elementwise.js';
export type { Named, OpHandle } from './ops/custom/names.js';
export { type ReductionDefinition, type ReductionFunction, reduction } from './ops/custom/reduction.js';
export { none as noGradient, zeroGradient } from './ops/define.js';
export { type Conv2dOptions, conv2d } from './ops/image/conv2d.js';
export { type ResizeMode, resize } from './ops/image/resize.js';
export { fold, type Windows, windows } from './ops/image/windows.js';
export { embedding } from './ops/index/embedding.js';
export { gather } from './ops/index/gather.js';
export { oneHot } from './ops/index/oneHot.js';
export { scatterAdd } from './ops/index/scatterAdd.js';
export { crossEntropy } from './ops/loss/crossEntropy.js';
export { mse } from './ops/loss/mse.js';
export { einsum } from './ops/matmul/einsum.js';
export { matmul } from './ops/matmul/matmul.js';
export { groupNorm } from './ops/normalize/groupNorm.js';
export { layerNorm } from './ops/normalize/layerNorm.js';
export { logSoftmax } from './ops/normalize/logSoftmax.js';
export { rmsNorm } from './ops/normalize/rmsNorm.js';
export { softmax } from './ops/normalize/softmax.js';
export type { NormOptions } from './ops/normalize/standardize.js';
export type { Accumulator, HostElements, NoGradient } from './ops/op.js';
export { type SortOptions, sort } from './ops/order/sort.js';
export { type Ordered, topK } from './ops/order/topK.js';
export { pack, unpack } from './ops/pack.js';
export { normal } from './ops/random/normal.js';
export { permutation } from './ops/random/permutation.js';
export { randomBits } from './ops/random/randomBits.js';
export { uniform } from './ops/random/uniform.js';
export { argmax } from './ops/reduce/argmax.js';
export { argmin } from './ops/reduce/argmin.js';
export { cumsum } from './ops/reduce/cumsum.js';
export { logSumExp } from './ops/reduce/logSumExp.js';
export { max } from './ops/reduce/max.js';
export { mean } from './ops/reduce/mean.js';
export { min } from './ops/reduce/min.js';
export { sum } from './ops/reduce/sum.js';
export { cos } from './ops/trigonometry/cos.js';
export { sin } from './ops/trigonometry/sin.js';
export { concat, split, stack } from './ops/view/concat.js';
export { expand } from './ops/view/expand.js';
export { flip } from './ops/view/flip.js';
export { stopGradient } from './ops/view/identity.js';
export { pad } from './ops/view/pad.js';
export { permute, transpose } from './ops/view/permute.js';
export { reshape } from './ops/view/reshape.js';
export { type SliceRange, slice } from './ops/view/slice.js';
export { clamp, where } from './ops/where.js';
export { hostBits, hostNormal, hostPermutation, hostUniform, Key, key } from './random/index.js';
export { TensorKey } from './random/tensorKey.js';
export { type ReduceOptions, Tensor, type TensorLike } from './tensor.js';
export {
  comparePaths,
  flattenTree,
  type IsLeaf,
  type MapTree,
  mapTree,
  type TreeEntry,
  type TreeOf,
  type TreeShape,
  treePaths,
  unflattenTree,
} from './tree.js';
