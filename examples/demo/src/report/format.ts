// Numbers as people read them.

/** `7572` → `7,572`. */
export const count = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** A figure with a fixed number of decimals and a true minus sign. */
export const decimal = (x: number, digits = 3) => x.toFixed(digits).replace('-', '−');

/** `0.417` → `42 %`. */
export const percent = (share: number) => `${Math.round(100 * share)} %`;

/** `75.2` → `1 min 15 s`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (h > 0) return `${h} h ${m} min`;
  return m > 0 ? `${m} min ${s} s` : `${s} s`;
}

/** `8` → `eight`; figures beyond twelve. */
export function numberWord(n: number): string {
  const words = [
    'no',
    'one',
    'two',
    'three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
    'nine',
    'ten',
    'eleven',
    'twelve',
  ];
  return words[n] ?? String(n);
}

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** `1, picture` → `1 picture`; `2, picture` → `2 pictures`. */
export const plural = (n: number, noun: string) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
