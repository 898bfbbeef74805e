// 20,000 random graphs: npm run test:long -- passes.
process.env.PARIS_FUZZ_GRAPHS ??= '20000';
await import('./passes.test.js');

export {};
