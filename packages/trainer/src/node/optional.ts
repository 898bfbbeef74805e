// Packages that only some of /node needs: a program that only trains, or decodes
// pictures another way, does not install them.
import { DataError } from '../errors.js';

/**
 * Loads an optional peer dependency when it is needed first.
 * @throws DataError that says what needs it and how to install it
 */
export async function optionalPackage<T>(name: string, need: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `cannot be loaded (${message.split('\n')[0]})`;
    throw new DataError('prepare', `${need} needs the package ${name}, which ${why}. Run npm install ${name}.`, {
      cause,
    });
  }
}
