import manifest from '../package.json' with { type: 'json' };

/** The version of this package; all packages of Paris share one. */
export const version: string = manifest.version;
