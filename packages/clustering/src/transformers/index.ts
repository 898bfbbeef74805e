/** Features of vision transformers such as DINOv2, through the optional peer `@huggingface/transformers`. */
export { type TransformersModule, type TransformersOptions, transformersEncoder } from './transformers-encoder.js';
