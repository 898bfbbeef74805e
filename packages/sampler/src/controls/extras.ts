// What few pages ask for, together: one file to load.
export { pictureSize } from '../images/encode.js';
export { projected } from '../images/projection.js';
export { controlled } from './controls.js';
export { negativesOf, originsOf } from './lists.js';
export { preload } from './preload.js';
