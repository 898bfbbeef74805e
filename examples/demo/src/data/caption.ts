// Captions: the Unicode name as plain lower-case words, with the skin tone in words.

const tones: Record<string, string> = {
  '1F3FB': 'light',
  '1F3FC': 'medium light',
  '1F3FD': 'medium',
  '1F3FE': 'medium dark',
  '1F3FF': 'dark',
};

/**
 * `MAN: RED HAIR`, `1F3FF` → `man red hair dark skin tone`.
 * @param name - the Unicode name
 * @param tone - the skin tone codepoints joined with a dash, empty for none; two people may have two different tones
 */
export function captionOf(name: string, tone = ''): string {
  const words = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’]/g, '') // accents and apostrophes join: Côte d’Ivoire → cote divoire
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
  const toneWords = [...new Set(tone.split('-').filter(Boolean))].map((point) => tones[point] ?? point.toLowerCase());
  return toneWords.length > 0 ? `${words} ${toneWords.join(' and ')} skin tone` : words;
}
