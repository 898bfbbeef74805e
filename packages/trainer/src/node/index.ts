// @paris/trainer/node: what needs files of this machine and an image decoder.
export { type CaptionRow, type Captions, parseCaptions } from './captions.js';
export { type Decoded, type DecodeOptions, decodeImage, IMAGE_EXTENSIONS } from './images.js';
export { type ListedImages, listImages } from './list-images.js';
export { captionFromName, type FolderPicturesOptions, folderPictures } from './pictures.js';
export { type PrepareOptions, type PrepareReport, prepare } from './prepare.js';
