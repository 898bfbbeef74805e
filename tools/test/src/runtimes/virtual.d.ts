// What bundle.js makes.
declare module 'virtual:fixtures' {
  const fixtures: Readonly<Record<string, unknown>>;
  export default fixtures;
}
declare module 'virtual:suites';
