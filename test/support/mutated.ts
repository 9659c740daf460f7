// Messages as broken senders, lines and hands make them: seeded, so that what was found once is found again.

/** The same row of numbers for the same seed: a linear congruential generator. */
export function chanceOf(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return below === 0 ? 0 : state % below;
  };
}

type Chance = ReturnType<typeof chanceOf>;
type Mutation = (raw: Buffer, chance: Chance) => Buffer;

const bySegments =
  (change: (segments: string[], at: number, chance: Chance) => string[]): Mutation =>
  (raw, chance) => {
    const segments = raw.toString('latin1').split('\r');
    return Buffer.from(change(segments, chance(segments.length), chance).join('\r'), 'latin1');
  };

/** One segment's parts, cut at a delimiter. */
const byParts =
  (separators: string, change: (parts: string[], at: number, chance: Chance) => string[]): Mutation =>
  (raw, chance) =>
    bySegments((segments, at) => {
      const separator = separators.charAt(chance(separators.length));
      const parts = (segments[at] ?? '').split(separator);
      return segments.with(at, change(parts, chance(parts.length), chance).join(separator));
    })(raw, chance);

const without = <T>(list: readonly T[], at: number): T[] => list.toSpliced(at, 1);
const twice = <T>(list: readonly T[], at: number): T[] => list.toSpliced(at, 0, ...list.slice(at, at + 1));
const swapped = <T>(list: readonly T[], at: number, chance: Chance): T[] => {
  const other = chance(list.length);
  const [one, two] = [list[at], list[other]];
  return one === undefined || two === undefined ? [...list] : list.with(at, two).with(other, one);
};

/** Texts that mean something to somebody. */
const odd = [
  '""',
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\r',
  '\n',
  '\\F\\',
  '\\X',
  '\\.br\\',
  '__proto__',
  'constructor',
  '99999999999999999999',
  '-1',
  '1e999',
  'NaN',
  '00000000',
  '20261399',
  '99991231235959.9999+9999',
  '<',
  '>=',
  '*',
  '$',
  '%',
  ',',
  'é',
  '\u0000',
  '\u000b',
  '\u001c',
  'MSH|',
  'PID|1||x\r',
  'OBX|1|NM|',
  'SPM|9\r',
  'ORC|CA',
  "' or 1=1",
  '{{x}}',
  'a'.repeat(5_000),
  '~'.repeat(2_000),
  '^'.repeat(2_000),
  '&'.repeat(500),
  'x~'.repeat(500),
  '\u202e',
] as const;

const events = [
  'A01',
  'A02',
  'A03',
  'A08',
  'A11',
  'A24',
  'A37',
  'A40',
  'A41',
  'A42',
  'A44',
  'A45',
  'A47',
  'A49',
  'A50',
  'S12',
  'S23',
  'O21',
  'O33',
  'R01',
  'R22',
  'R24',
  'T02',
  'P03',
  'P12',
  'Q11',
  'Q22',
  'Q23',
  'V04',
  'I12',
];

const mutations: readonly Mutation[] = [
  bySegments(without),
  bySegments(twice),
  bySegments(swapped),
  bySegments((segments, at, chance) =>
    segments.toSpliced(at, 0, ...Array.from({ length: chance(300) }, () => segments[at] ?? '')),
  ),
  byParts('|^~&', without),
  byParts('|^~&', twice),
  byParts('|^~&', swapped),
  byParts('|^~&', (parts, at, chance) => parts.with(at, odd[chance(odd.length)] ?? '')),
  byParts('|^', (parts, at) => parts.with(at, '')),
  // An event that the rest of the message is not made for.
  (raw, chance) =>
    Buffer.from(
      raw.toString('latin1').replace(/\^[A-Z]\d\d(?=[|^])/, `^${events[chance(events.length)]}`),
      'latin1',
    ),
  // Bytes.
  (raw, chance) => raw.subarray(0, chance(raw.length)),
  (raw, chance) => {
    const copy = Buffer.from(raw);
    for (let count = chance(8); count >= 0; count -= 1) copy[chance(copy.length)] = chance(256);
    return copy;
  },
  (raw, chance) => {
    const at = chance(raw.length);
    return Buffer.concat([
      raw.subarray(0, at),
      Buffer.from(odd[chance(odd.length)] ?? ''),
      raw.subarray(at + chance(40)),
    ]);
  },
  // Other delimiters, announced or not.
  (raw, chance) => {
    const [from, to] = [chance(5), chance(5)].map((at) => '|^~\\&'.charCodeAt(at));
    return raw.map((byte, at) => (byte === from && at > chance(2) * 9 ? (to ?? byte) : byte)) as Buffer;
  },
];

/** One message with one to five things wrong. */
export function mutated(raw: Buffer, seed: number): Buffer {
  const chance = chanceOf(seed);
  let broken: Buffer = raw;
  for (let count = chance(5); count >= 0; count -= 1) {
    if (broken.length > 0) {
      broken = Buffer.from(mutations[chance(mutations.length)]?.(broken, chance) ?? broken);
    }
  }
  return broken;
}
