// Flows as a list of nodes in a row, each wired to the next: `flow('a', [event, fn('…'), write])`.

export interface Step {
  readonly type: string;
  /** Wires of its own; without them it is wired to the next step. */
  readonly wires?: readonly (readonly string[])[];
  readonly [setting: string]: unknown;
}

/** A tab whose nodes have the ids `name1`, `name2`, …; its event node listens under `name`. */
export function flow(name: string, steps: readonly Step[]): readonly object[] {
  const nodes = steps.map((step, at) => ({
    id: `${name}${at + 1}`,
    z: name,
    x: 100,
    y: 100,
    wires: at + 1 < steps.length ? [[`${name}${at + 2}`]] : [],
    ...step,
    ...(step.type === 'fhir event' || step.type === 'hl7 in' ? { subscription: name } : {}),
  }));
  return [{ id: name, type: 'tab', label: name }, ...nodes];
}

export const event: Step = { type: 'fhir event', criteria: 'Basic', maxInFlight: 4 };
export const write: Step = { type: 'fhir write', property: 'payload' };
export const fn = (func: string, more: object = {}): Step => ({
  type: 'function',
  func,
  outputs: 1,
  libs: [],
  ...more,
});
