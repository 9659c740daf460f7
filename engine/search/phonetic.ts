// Names by their sound, for names of many languages written down by ear: Wanjiru and Wanjiro, Odhiambo and Odiambo, Chebet and
// Jebet, Mohammed and Muhamed, Smith and Smyth get the same key.

/** Spellings of one sound, each tried in order at the place that the key has come to. `^` at the beginning of the word only. */
const sounds: readonly (readonly [spelling: RegExp, sound: string])[] = [
  [/^kn/, 'N'],
  [/^wr/, 'R'],
  [/^ps/, 'S'],
  [/sch|sh|ch|tch|zh/y, 'J'],
  [/ph/y, 'F'],
  [/gh(?=t)/y, ''],
  [/[dt]h|dd|tt|[dt]/y, 'T'],
  [/c(?=[eiy])/y, 'S'],
  [/x/y, 'KS'],
  [/j|dj/y, 'J'],
  [/ck|[ckgq]h?/y, 'K'],
  [/[bp]/y, 'P'],
  [/[fv]/y, 'F'],
  [/[sz]/y, 'S'],
  [/[lr]/y, 'R'],
  [/m/y, 'M'],
  [/n/y, 'N'],
];

const longestKey = 6;
const longestWord = 40;
const vowels = /[aeiouwyh]+/y;

/**
 * The keys of one folded word; none for a word without a letter of the Latin alphabet. Two where a spelling has two sounds: the `g`
 * of Njoroge is that of Gakuru or that of George.
 */
export function phoneticKeys(word: string): readonly string[] {
  const letters = word.slice(0, longestWord).replaceAll(/[^a-z]/g, '');
  if (letters === '') return [];
  const hard = keyOf(letters);
  const soft = /g[eiy]/.test(letters) ? keyOf(letters.replaceAll(/g(?=[eiy])/g, 'j')) : hard;
  return hard === soft ? [hard] : [hard, soft];
}

/** The sounds of the consonants; of the vowels only whether the word begins with one. */
function keyOf(letters: string): string {
  let key = /^(?:[aeiou]|h[aeiou])/.test(letters) ? 'A' : /^[wy]/.test(letters) ? 'W' : '';
  let at = 0;
  while (at < letters.length && key.length < longestKey) {
    vowels.lastIndex = at;
    const skipped = vowels.exec(letters);
    if (skipped !== null) {
      at += skipped[0].length;
      continue;
    }
    const [length, sound] = soundAt(letters, at);
    if (!key.endsWith(sound)) key += sound;
    at += length;
  }
  return key;
}

function soundAt(letters: string, at: number): readonly [length: number, sound: string] {
  for (const [spelling, sound] of sounds) {
    if (!spelling.sticky && at > 0) continue;
    spelling.lastIndex = at;
    const found = spelling.exec(letters);
    if (found !== null) return [found[0].length, sound];
  }
  return [1, ''];
}
