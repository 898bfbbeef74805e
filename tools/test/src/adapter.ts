// Before any test process starts: chooses the adapter that PARIS_ADAPTER names (gpu, lavapipe or swiftshader), or else the
// best one. Test processes inherit this environment. Without any adapter, tests of a device say so and skip.
import { adapterEnvironment, chooseAdapter } from '@paris/tensor/node';

export default async function setup(): Promise<void> {
  const adapter = await chooseAdapter().catch((error: Error) => {
    if ((process.env.PARIS_ADAPTER || 'auto') !== 'auto') throw error;
    console.warn(error.message);
  });
  if (adapter) Object.assign(process.env, adapterEnvironment(adapter));
}
