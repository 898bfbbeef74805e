/** A name as it is written here: `DPM++ 2M SDE`, `dpmpp_2m_sde` and `dpmpp-2m-sde` are the same. */
export function plainName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll('++', 'pp')
    .replaceAll(/[\s_]+/g, '-');
}
