// What a model is made of: its noise paths and what networks predict on them.

export { identityCodec } from './codec/identity.js';
export {
  type Architecture,
  type ArchitectureDefinition,
  type Companions,
  type DefinedArchitecture,
  defineArchitecture,
  findArchitecture,
  type Network,
} from './contracts/architecture.js';
export type { Codec, PictureShape } from './contracts/codec.js';
export {
  type Condition,
  concatConditions,
  disposeCondition,
  gatherCondition,
  gatherRows,
  tokenCondition,
} from './contracts/condition.js';
export type { Expert, NoisyInput, Objective } from './contracts/expert.js';
export { dropLearnedSigma } from './contracts/learned-sigma.js';
export type { Router } from './contracts/router.js';
export type { HostTokens, PromptEncoder, TextEncoder, Tokens } from './contracts/text.js';
export {
  chunkBytes,
  expertFolder,
  indexPath,
  type ModelFile,
  type ModelIndex,
  parseModelIndex,
} from './folder/format.js';
export {
  type KnownArchitectures,
  type ModelNetworks,
  type ReadNetwork,
  readModelIndex,
  readNetworks,
} from './folder/networks.js';
export { verifiedStore } from './folder/verified-store.js';
export { type WeightLoader, weightLoader } from './folder/weights.js';
export { type ModelDescription, requiredFiles, writeModelIndex } from './folder/write.js';
export {
  fromStateDict,
  type KeyMap,
  type Piece,
  type RenamingRule,
  renaming,
  type StateDict,
  toStateDict,
} from './keys/key-map.js';
export { type Params, toFlat, toTree } from './params.js';
export { cosinePath } from './paths/cosine.js';
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
export { shortList } from './short-list.js';
export { promptEncoderOf, wordEncoder } from './text/prompt-encoder.js';
export {
  buildVocabulary,
  captionWords,
  encodeCaptions,
  MAX_TOKENS,
  type PromptWords,
  parseVocabulary,
  promptWords,
  readVocabulary,
  type Vocabulary,
  writeVocabulary,
} from './text/vocabulary.js';
export { vocabularyOf, type WordList, wordList, wordListOf } from './text/word-list.js';
