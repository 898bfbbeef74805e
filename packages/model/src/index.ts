// What a model is made of: its noise paths and what networks predict on them.

export { shortList } from '@paris/files';
export { identityCodec } from './codec/identity.js';
export {
  type Architecture,
  type ArchitectureDefinition,
  type Companions,
  type DefinedArchitecture,
  defineArchitecture,
  findArchitecture,
  type LazyArchitecture,
  type Network,
} from './contracts/architecture.js';
export type { Codec, PictureShape } from './contracts/codec.js';
export {
  type Condition,
  concatConditions,
  conditionOfTensors,
  conditionTensors,
  disposeCondition,
  gatherCondition,
  gatherRows,
  tokenCondition,
} from './contracts/condition.js';
export type { Expert, InputLimits, NoisyInput, Objective } from './contracts/expert.js';
export { type LabelSet, labelsOf } from './contracts/labels.js';
export { dropLearnedSigma } from './contracts/learned-sigma.js';
export type { Router } from './contracts/router.js';
export type { HostTokens, PromptEncoder, TextEncoder, Tokens } from './contracts/text.js';
export { misfits } from './folder/fit.js';
export {
  chunkBytes,
  expertFolder,
  indexPath,
  type LearnedFrom,
  type ModelFile,
  type ModelIndex,
  parseModelIndex,
  presentExperts,
} from './folder/format.js';
export {
  type KnownArchitectures,
  type ModelNetworks,
  type ReadNetwork,
  readModelIndex,
  readNetwork,
  readNetworks,
} from './folder/networks.js';
export { isFiniteData } from './folder/parameters.js';
export { type OnBytes, verifiedStore } from './folder/verified-store.js';
export { type WeightLoader, weightLoader } from './folder/weights.js';
export { type ModelDescription, requiredFiles, writeModelIndex } from './folder/write.js';
export {
  type ComputedParameter,
  fromStateDict,
  isIgnored,
  type KeyMap,
  type Piece,
  type RenamingRule,
  renaming,
  type StateDict,
  toStateDict,
} from './keys/key-map.js';
export { type MappedCheckpoint, mapCheckpoint } from './keys/map-checkpoint.js';
export { limits } from './limits.js';
export { type Params, toFlat, toTree } from './params.js';
export { cosinePath } from './paths/cosine.js';
export { type DdpmOptions, ddpmPath, ddpmPathByName } from './paths/ddpm.js';
export { linearPath } from './paths/linear.js';
export { logSnr, type NoisePath } from './paths/path.js';
export { noisePath, noisePaths } from './paths/paths.js';
export {
  convertPrediction,
  type Prediction,
  type PredictionCoefficients,
  type PredictionScalars,
  predictionCoefficients,
  sampleLimits,
} from './predictions/predictions.js';
export { type WeightFormat, weightFormats } from './quantized/formats.js';
export {
  floatFormat,
  isQuantized,
  packedExpert,
  packedExperts,
  packedShapes,
} from './quantized/packed.js';
export {
  isPackable,
  packedName,
  quantizeParameters,
  unpackedShapes,
  weightBytes,
  writtenTensors,
} from './quantized/quantize.js';
export { encodeCaptions, MAX_TOKENS, type PromptWords, promptWords } from './text/caption-words.js';
export { promptEncoderOf, wordEncoder } from './text/prompt-encoder.js';
export { buildVocabulary, captionWords, type Vocabulary, WordCounts } from './text/vocabulary.js';
export { parseVocabulary, readVocabulary, writeVocabulary } from './text/vocabulary-file.js';
export { vocabularyOf, type WordList, wordList, wordListOf } from './text/word-list-encoder.js';
