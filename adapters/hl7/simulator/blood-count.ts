// Plausible blood counts: what is measured is drawn by chance, what an analyser derives is derived, flags follow from the ranges.

export interface Measurement {
  readonly code: string;
  readonly system: 'LN' | '99MRC';
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  /** `4.00-10.00` */
  readonly range: string;
  /** As a Mindray BC writes it: `N`, `L~N`, `H~N`. */
  readonly flag: string;
}

type Quantity = readonly [
  code: string,
  system: 'LN' | '99MRC',
  name: string,
  unit: string,
  low: number,
  high: number,
  decimals: number,
  of: (count: Count) => number,
];

interface Count {
  readonly wbc: number;
  readonly neutrophils: number;
  readonly lymphocytes: number;
  readonly monocytes: number;
  readonly eosinophils: number;
  readonly basophils: number;
  readonly rbc: number;
  readonly mcv: number;
  readonly mchc: number;
  readonly plt: number;
  readonly mpv: number;
}

const haematocrit = ({ rbc, mcv }: Count): number => (rbc * mcv) / 10;
const haemoglobin = (count: Count): number => (haematocrit(count) * count.mchc) / 100;

/** As the host interface of a BC-5150 lists them, with its default units and adult ranges. */
const quantities: readonly Quantity[] = [
  ['6690-2', 'LN', 'WBC', '10*3/uL', 4, 10, 2, ({ wbc }) => wbc],
  ['704-7', 'LN', 'BAS#', '10*3/uL', 0, 0.1, 2, ({ wbc, basophils }) => (wbc * basophils) / 100],
  ['706-2', 'LN', 'BAS%', '%', 0, 1, 1, ({ basophils }) => basophils],
  ['751-8', 'LN', 'NEU#', '10*3/uL', 2, 7, 2, ({ wbc, neutrophils }) => (wbc * neutrophils) / 100],
  ['770-8', 'LN', 'NEU%', '%', 50, 70, 1, ({ neutrophils }) => neutrophils],
  ['711-2', 'LN', 'EOS#', '10*3/uL', 0.02, 0.5, 2, ({ wbc, eosinophils }) => (wbc * eosinophils) / 100],
  ['713-8', 'LN', 'EOS%', '%', 0.5, 5, 1, ({ eosinophils }) => eosinophils],
  ['731-0', 'LN', 'LYM#', '10*3/uL', 0.8, 4, 2, ({ wbc, lymphocytes }) => (wbc * lymphocytes) / 100],
  ['736-9', 'LN', 'LYM%', '%', 20, 40, 1, ({ lymphocytes }) => lymphocytes],
  ['742-7', 'LN', 'MON#', '10*3/uL', 0.12, 1.2, 2, ({ wbc, monocytes }) => (wbc * monocytes) / 100],
  ['5905-5', 'LN', 'MON%', '%', 3, 12, 1, ({ monocytes }) => monocytes],
  ['789-8', 'LN', 'RBC', '10*6/uL', 3.5, 5.5, 2, ({ rbc }) => rbc],
  ['718-7', 'LN', 'HGB', 'g/dL', 11, 16, 1, haemoglobin],
  ['787-2', 'LN', 'MCV', 'fL', 80, 100, 1, ({ mcv }) => mcv],
  ['785-6', 'LN', 'MCH', 'pg', 27, 34, 1, ({ mcv, mchc }) => (mcv * mchc) / 1000],
  ['786-4', 'LN', 'MCHC', 'g/dL', 32, 36, 1, ({ mchc }) => mchc],
  ['4544-3', 'LN', 'HCT', '%', 37, 54, 1, haematocrit],
  ['777-3', 'LN', 'PLT', '10*3/uL', 100, 300, 0, ({ plt }) => plt],
  ['32623-1', 'LN', 'MPV', 'fL', 6.5, 12, 1, ({ mpv }) => mpv],
  ['10002', '99MRC', 'PCT', '%', 0.108, 0.282, 3, ({ plt, mpv }) => (plt * mpv) / 10_000],
];

/** One patient in six has low platelets: they are what the ward is told about. */
const lowPlateletsShare = 1 / 6;
/** 10*3/uL. Below 40 is critical (mappings/codes/critical-limits.yaml). */
const platelets = { normal: [110, 340], low: [12, 90], critical: [8, 36] } as const;

/** Between two bounds, mostly in the middle. */
const between = (random: () => number, low: number, high: number): number =>
  low + ((random() + random() + random()) / 3) * (high - low);

function drawPlatelets(random: () => number, critical: boolean): number {
  const kind = critical ? 'critical' : random() < lowPlateletsShare ? 'low' : 'normal';
  const [low, high] = platelets[kind];
  return between(random, low, high);
}

function draw(random: () => number, lowPlatelets: boolean): Count {
  const lymphocytes = between(random, 18, 44);
  const monocytes = between(random, 3, 12);
  const eosinophils = between(random, 0.5, 6);
  const basophils = between(random, 0, 1);
  return {
    wbc: between(random, 3, 12),
    lymphocytes,
    monocytes,
    eosinophils,
    basophils,
    neutrophils: 100 - lymphocytes - monocytes - eosinophils - basophils,
    rbc: between(random, 3.3, 5.7),
    mcv: between(random, 76, 102),
    mchc: between(random, 31, 36),
    plt: drawPlatelets(random, lowPlatelets),
    mpv: between(random, 7, 12),
  };
}

function measurement(quantity: Quantity, count: Count): Measurement {
  const [code, system, name, unit, low, high, decimals, of] = quantity;
  const value = of(count).toFixed(decimals);
  const flag = Number(value) < low ? 'L~N' : Number(value) > high ? 'H~N' : 'N';
  const range = `${low.toFixed(decimals)}-${high.toFixed(decimals)}`;
  return { code, system, name, value, unit, range, flag };
}

/** `random`: from 0 to 1. `lowPlatelets`: so few that it is critical. */
export function bloodCount(random: () => number, lowPlatelets = false): readonly Measurement[] {
  const count = draw(random, lowPlatelets);
  return quantities.map((quantity) => measurement(quantity, count));
}
