// What people have decided about channels and destinations — run, paused, held — kept with who and when, and true again after a start.
import type { Actor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Store } from '../../storage/store.ts';

export interface Switches<Position extends string> {
  load(): Promise<void>;
  /** The usual position where nobody has decided. */
  position(name: string): Position;
  /** Durable when it resolves. */
  put(name: string, position: Position, actor: Actor, comment?: string): Promise<void>;
  /** Of all about which somebody has decided. */
  positions(): ReadonlyMap<string, Position>;
}

export interface SwitchesOptions<Position extends string> {
  readonly store: Pick<Store, 'transact' | 'configuration'>;
  readonly clock: Clock;
  /** Of the configuration under which they are kept. */
  readonly kind: string;
  readonly usual: Position;
  readonly known: readonly Position[];
}

export function createSwitches<Position extends string>(
  options: SwitchesOptions<Position>,
): Switches<Position> {
  const { store, clock, kind, usual, known } = options;
  const positions = new Map<string, Position>();
  return {
    load: async () => {
      for (const { name, body } of await store.configuration.current(kind)) {
        const position = known.find((one) => one === JSON.parse(body ?? '""'));
        if (position !== undefined) positions.set(name, position);
      }
    },
    position: (name) => positions.get(name) ?? usual,
    put: async (name, position, actor, comment = '') => {
      const change = { kind, name, at: clock.now(), by: actor.id, comment, body: JSON.stringify(position) };
      await store.transact(({ configuration }) => configuration.put(change));
      positions.set(name, position);
    },
    positions: () => positions,
  };
}
