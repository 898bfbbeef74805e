/** How pictures were made, in their PNG files: written and read, anywhere. */
export { isPng, type PngChunk, pngChunks } from './chunks.js';
export { encodeMadePng, type MadeRecord, markPng, type PictureMetadata, readPictureMetadata } from './metadata.js';
