// Taking versions, and resources, away for good: nothing of them can be read afterwards.
import { notFound } from '../kernel/outcomes.ts';
import { admitId, admitType } from './admit.ts';
import { createBreath } from './breath.ts';
import { remove } from './delete.ts';
import type { Work } from './work.ts';

export interface Expunging {
  readonly type: string;
  /** undefined: all resources of the type. */
  readonly id: string | undefined;
  /** Versions before the current one. */
  readonly previousVersions: boolean;
  /** Resources that are deleted, with all their versions. */
  readonly deletedResources: boolean;
  /** The one resource, also where it lives: it is deleted first. Not without an id. */
  readonly livingResource: boolean;
  /** Resources that are looked at, at most. */
  readonly limit: number;
}

/** How many versions went. Throws Refusal `not-found` for an id that never was, and whatever a deletion is refused for. */
export async function expunge(work: Work, asked: Expunging): Promise<number> {
  admitType(work.parts.index, asked.type);
  return asked.id === undefined ? expungeType(work, asked) : expungeOne(work, asked, asked.id);
}

async function expungeOne(work: Work, asked: Expunging, id: string): Promise<number> {
  const { type } = asked;
  admitId(id, `${type}.id`);
  if (!(await work.resources.read(type, id))) throw notFound(type, id);
  if (asked.livingResource) await remove(work, type, id);
  const name = { type, id };
  const whole = asked.livingResource || asked.deletedResources;
  const forgotten = whole ? await work.resources.forget(name, 'deleted-resources') : 0;
  return forgotten + (asked.previousVersions ? await work.resources.forget(name, 'previous-versions') : 0);
}

async function expungeType(work: Work, { type, limit, ...asked }: Expunging): Promise<number> {
  const breathe = createBreath();
  let forgotten = 0;
  let left = limit;
  for (const what of ['deleted-resources', 'previous-versions'] as const) {
    if (!(what === 'deleted-resources' ? asked.deletedResources : asked.previousVersions)) continue;
    const ids = await work.resources.forgettable(type, what, left);
    left -= ids.length;
    for (const id of ids) {
      await breathe();
      forgotten += await work.resources.forget({ type, id }, what);
    }
  }
  return forgotten;
}
