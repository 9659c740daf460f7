// The units of UCUM that hospitals write, with their factor to the base units. https://ucum.org/ucum

/** Factor to the base units, the dimension (base unit and exponent, in pairs), and whether prefixes such as `m` may stand before it. */
export type Atom = readonly [
  factor: number,
  dimension: readonly (readonly [base: string, exponent: number])[],
  metric?: 'metric',
];

const length = [['m', 1]] as const;
const volume = [['m', 3]] as const;
const mass = [['g', 1]] as const;
const time = [['s', 1]] as const;
const amount = [['mol', 1]] as const;
const force = [['g', 1], ['m', 1], ['s', -2]] as const; // prettier-ignore
const pressure = [['g', 1], ['m', -1], ['s', -2]] as const; // prettier-ignore
const energy = [['g', 1], ['m', 2], ['s', -2]] as const; // prettier-ignore
const power = [['g', 1], ['m', 2], ['s', -3]] as const; // prettier-ignore
const frequency = [['s', -1]] as const;
const catalysis = [['mol', 1], ['s', -1]] as const; // prettier-ignore
const dose = [['m', 2], ['s', -2]] as const; // prettier-ignore
const current = [['C', 1], ['s', -1]] as const; // prettier-ignore
const voltage = [['g', 1], ['m', 2], ['s', -2], ['C', -1]] as const; // prettier-ignore
const resistance = [['g', 1], ['m', 2], ['s', -1], ['C', -2]] as const; // prettier-ignore
const own = (name: string): readonly [readonly [string, number]] => [[name, 1]];

const inch = 0.0254;
const pound = 453.59237;
const gallon = 3.785411784e-3;
const day = 86_400;
const year = 365.25 * day;

/**
 * Arbitrary units ([IU], [CFU]) are commensurable with nothing but themselves. Amounts of substance, equivalents and osmoles keep a
 * dimension of their own, though UCUM counts moles as plain numbers: nobody who asks for 5 /L wants moles.
 */
export const atoms: Readonly<Record<string, Atom>> = {
  '10*': [10, []],
  '10^': [10, []],
  '%': [0.01, []],
  '[ppth]': [1e-3, []],
  '[ppm]': [1e-6, []],
  '[ppb]': [1e-9, []],
  m: [1, length, 'metric'],
  '[in_i]': [inch, length],
  '[ft_i]': [12 * inch, length],
  '[yd_i]': [36 * inch, length],
  '[mi_i]': [63_360 * inch, length],
  '[nmi_i]': [1852, length],
  '[mi_us]': [1609.3472186944375, length],
  Ao: [1e-10, length],
  L: [1e-3, volume, 'metric'],
  l: [1e-3, volume, 'metric'],
  '[gal_us]': [gallon, volume],
  '[qt_us]': [gallon / 4, volume],
  '[pt_us]': [gallon / 8, volume],
  '[cup_us]': [gallon / 16, volume],
  '[foz_us]': [gallon / 128, volume],
  '[tbs_us]': [gallon / 256, volume],
  '[tsp_us]': [gallon / 768, volume],
  '[drp]': [5e-8, volume],
  g: [1, mass, 'metric'],
  t: [1e6, mass, 'metric'],
  u: [1.6605402e-24, mass, 'metric'],
  '[gr]': [pound / 7000, mass],
  '[oz_av]': [pound / 16, mass],
  '[lb_av]': [pound, mass],
  '[stone_av]': [14 * pound, mass],
  'g%': [1e4, [['g', 1], ['m', -3]], 'metric'], // prettier-ignore
  s: [1, time, 'metric'],
  min: [60, time],
  h: [3600, time],
  d: [day, time],
  wk: [7 * day, time],
  mo: [year / 12, time],
  mo_j: [year / 12, time],
  a: [year, time],
  a_j: [year, time],
  Hz: [1, frequency, 'metric'],
  mol: [1, amount, 'metric'],
  U: [1e-6 / 60, catalysis, 'metric'],
  kat: [1, catalysis, 'metric'],
  eq: [1, own('eq'), 'metric'],
  osm: [1, own('osm'), 'metric'],
  N: [1e3, force, 'metric'],
  Pa: [1e3, pressure, 'metric'],
  bar: [1e8, pressure, 'metric'],
  atm: [101_325e3, pressure],
  'm[Hg]': [133_322e3, pressure, 'metric'],
  'm[H2O]': [9_806_650, pressure, 'metric'],
  '[psi]': [6_894_757.293168361, pressure],
  J: [1e3, energy, 'metric'],
  cal: [4184, energy, 'metric'],
  '[Cal]': [4_184_000, energy],
  eV: [1.60217733e-16, energy, 'metric'],
  W: [1e3, power, 'metric'],
  C: [1, own('C'), 'metric'],
  A: [1, current, 'metric'],
  V: [1e3, voltage, 'metric'],
  Ohm: [1e3, resistance, 'metric'],
  K: [1, own('K'), 'metric'],
  rad: [1, own('rad'), 'metric'],
  deg: [Math.PI / 180, own('rad')],
  cd: [1, own('cd'), 'metric'],
  lm: [1, own('cd'), 'metric'],
  lx: [1, [['cd', 1], ['m', -2]], 'metric'], // prettier-ignore
  Bq: [1, frequency, 'metric'],
  Ci: [37e9, frequency, 'metric'],
  Gy: [1, dose, 'metric'],
  RAD: [0.01, dose, 'metric'],
  Sv: [1, own('Sv'), 'metric'],
  REM: [0.01, own('Sv'), 'metric'],
  P: [100, [['g', 1], ['m', -1], ['s', -1]], 'metric'], // prettier-ignore
  '[iU]': [1, own('[iU]'), 'metric'],
  '[IU]': [1, own('[iU]'), 'metric'],
  "[arb'U]": [1, own("[arb'U]")],
  "[USP'U]": [1, own("[USP'U]")],
  "[anti'Xa'U]": [1, own("[anti'Xa'U]")],
  '[GPL_U]': [1, own('[GPL_U]')],
  '[MPL_U]': [1, own('[MPL_U]')],
  '[CFU]': [1, own('[CFU]')],
  '[PFU]': [1, own('[PFU]')],
  '[HPF]': [1, own('[HPF]')],
  '[LPF]': [1, own('[LPF]')],
  '[pH]': [1, own('[pH]')],
  '[diop]': [1, [['m', -1]]],
  '[Ch]': [1 / 3000, length],
};

export const prefixes: Readonly<Record<string, number>> = {
  P: 1e15, T: 1e12, G: 1e9, M: 1e6, k: 1e3, h: 1e2, da: 10, d: 0.1, c: 0.01, m: 1e-3, u: 1e-6, n: 1e-9, p: 1e-12, f: 1e-15, a: 1e-18,
}; // prettier-ignore

/**
 * The unit in which each dimension is compared: the one that most values of a hospital are written in, so that they need no second
 * entry. A dimension not named here is compared in base units.
 */
export const commonUnits: readonly string[] = [
  '%', 'kg', 'cm', 'm2', 'mL', 'min', '/min', 'mm[Hg]', 'mg/dL', 'mmol', 'mmol/L', 'meq/L', '10*9/L', 'U/L', 'm[IU]/L', 'kg/m2',
  'mL/min', 'mg/h', 'mm/h',
]; // prettier-ignore
