// Whether a profile can be made now. What makes it is loaded then: no page pays for what few programs ask.
import { LimitError } from '../errors.js';
import type { Device } from './device.js';
import type { Profile } from './profile.js';

const profiling = new WeakSet<Device>();

/** See `Device.profile`. */
export async function profileOf(device: Device, fn: () => unknown): Promise<Profile> {
  if (!device.hasFeature('timestamp-query')) {
    throw new LimitError(
      'profile',
      `the times of kernels need the feature timestamp-query, and ${device.info.adapter} has none. Time whole calls instead.`,
    );
  }
  if (profiling.has(device)) throw new LimitError('profile', 'a profile is being made already. Wait for it.');
  profiling.add(device);
  try {
    const { profile } = await import('./profile.js');
    return await profile(device, fn);
  } finally {
    profiling.delete(device);
  }
}
