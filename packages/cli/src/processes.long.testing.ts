// Everything that happens to some commands in `npm test`, to all of them: npm run test:long -- processes.
process.env.PARIS_EVERY_COMMAND = '1';
await import('./processes.test.js');

export {};
