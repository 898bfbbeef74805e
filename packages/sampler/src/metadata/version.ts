import manifest from '../../package.json' with { type: 'json' };

/** Of this package, as pictures say it. */
export const version: string = manifest.version;
