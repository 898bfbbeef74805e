import { ValueError } from '@paris/files';

/**
 * The name here of something that other programs may call otherwise.
 * @param kind - what it is: `sampler`
 * @param names - those of here
 * @param otherNames - plain names that others have for them
 * @throws ValueError for an unknown name, with the known ones
 */
export function knownName<Name extends string>(
  kind: string,
  name: string,
  names: readonly Name[],
  otherNames: Readonly<Record<string, Name>>,
): Name {
  const plain = plainName(name);
  const own = names.find((known) => known === plain);
  if (own !== undefined) return own;
  if (Object.hasOwn(otherNames, plain)) return otherNames[plain]!;
  const known = names.join(', ');
  throw new ValueError(kind, `no ${kind} is called "${name}". Known: ${known}. Or pass a function of your own.`);
}

/** A name as it is written here: `DPM++ 2M SDE`, `dpmpp_2m_sde` and `dpmpp-2m-sde` are the same. */
function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll('++', 'pp')
    .replaceAll(/[\s_]+/g, '-');
}
