import { thorough } from '@paris/test-tools/thorough';

/**
 * Everything is tried on the CPU device. A driver is tried with a part of it, in CI with all: it tells whether it takes the same
 * shaders, and computes the same.
 */
export const brief: boolean = !thorough && /^(lavapipe|swiftshader)$/.test(process.env.PARIS_ADAPTER ?? '');
