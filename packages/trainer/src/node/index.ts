// @paris/trainer/node: what needs files of this machine, an image decoder or processes.
export { type CaptionRow, type Captions, parseCaptions } from './captions.js';
export { describe } from './describe.js';
export { type Decoded, type DecodeOptions, decodeImage, IMAGE_EXTENSIONS } from './images.js';
export { captionFromName, type FolderPicturesOptions, folderPictures, listImages } from './pictures.js';
export { type PrepareOptions, type PrepareReport, prepare } from './prepare.js';
export {
  contactSheet,
  enlarge,
  type Sampled,
  type SampleOptions,
  type SampleTrace,
  sample,
  type TraceEvaluation,
} from './sample.js';
export {
  endWithParent,
  GpuProcessError,
  type SuperviseOptions,
  signOfLife,
  startedBefore,
  supervise,
} from './supervise.js';
