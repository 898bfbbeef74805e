// @paris/files/s3: storage that speaks S3's protocol, to be read.
export { type S3Credentials, s3Environment } from './environment.js';
export { type S3Options, type S3Store, s3Store } from './store.js';
