// @paris/trainer/node: what needs files of this machine and an image decoder.
export { type CaptionRow, type Captions, type CaptionsOptions, parseCaptions } from './captions.js';
export { type Decoded, type DecodeOptions, decodeImage, IMAGE_EXTENSIONS } from './decode-image.js';
export { type PrepareOptions, type PrepareReport, prepare } from './prepare.js';
export { captionFromName, type DecodeSourceOptions, decodePictures } from './sources/decode-ahead.js';
export { type EncodedPicture, type EncodedSource, joined } from './sources/encoded-source.js';
export { type Columns, type Field, type PictureWords, pictureFields } from './sources/fields.js';
export type { PictureFilter } from './sources/filter.js';
export { type ArchiveOptions, openArchive } from './sources/open-archive.js';
export { type Shard, shardOf } from './sources/shard.js';
