// The admin API over outbound maps: what one makes of a stored resource, and why. Nothing is stored or sent.
import type { HttpRoute } from '../../kernel/http-route.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { MessageMaker } from '../../mapping/create-mapper.ts';
import type { Compose } from '../../messages/compose.ts';
import type { Repository } from '../../repository/repository.ts';
import { readRendering } from './body.ts';
import { admitNames } from './query.ts';

export interface RenderRoutesOptions {
  readonly mapper: Pick<MessageMaker, 'outbound'>;
  readonly compose: Compose;
  readonly repository: Pick<Repository, 'as'>;
}

/** Answers `{ type, controlId, contentType, text, trace }`, of what the asking person may see. */
export function renderRoutes({ mapper, compose, repository }: RenderRoutesOptions): readonly HttpRoute[] {
  return [
    {
      method: 'POST',
      path: '/admin/mappings/$render',
      access: 'admin',
      handle: async (request) => {
        admitNames(request.query, ['map']);
        const map = request.query.get('map');
        if (map === null) throw badRequest(`name a map with ?map=: ${mapper.outbound.join(', ')}`, 'map');
        const asked = { map, ...readRendering(request) };
        return { status: 200, body: await compose(asked, repository.as(request.actor)) };
      },
    },
  ];
}
