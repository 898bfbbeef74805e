// In bundles for browsers a page imports the encoders that it needs itself: a bundler that sees import() here cuts the page into
// chunks that share hundreds of names, which costs pages without encoders 5 kB.
import type { Codec, LazyArchitecture, TextEncoder } from '@paris/model';

export const codecs: readonly LazyArchitecture<Codec>[] = [];
export const textEncoders: readonly LazyArchitecture<TextEncoder>[] = [];
