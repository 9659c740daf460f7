// The admin API over maps: which there are, what one makes of a message without storing anything, and reading them again.
import type { Clock } from '../../kernel/clock.ts';
import type { HttpAnswer, HttpRequest, HttpRoute } from '../../kernel/http-route.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { Mapper } from '../../mapping/mapper.ts';
import type { Issue, WireMessage } from '../../mapping/wire-message.ts';
import type { Formats } from '../../messages/formats.ts';
import { answerQuestions } from '../../messages/map.ts';
import type { Repository } from '../../repository/repository.ts';
import { admitNames } from './query.ts';

export interface MappingRoutesOptions {
  readonly mapper: Mapper;
  /** Reads the maps again. Throws Refusal `unprocessable`, and keeps the ones that it has, when they cannot be used. */
  readonly reload: () => Promise<void>;
  readonly formats: Formats;
  readonly repository: Pick<Repository, 'as'>;
  readonly clock: Clock;
}

export function mappingRoutes(options: MappingRoutesOptions): readonly HttpRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/mappings',
      access: 'admin',
      handle: ({ query }) => {
        admitNames(query, []);
        return Promise.resolve(listOf(options.mapper));
      },
    },
    {
      method: 'POST',
      path: '/admin/mappings/$reload',
      access: 'admin',
      handle: async ({ query }) => {
        admitNames(query, []);
        await options.reload();
        return listOf(options.mapper);
      },
    },
    {
      method: 'POST',
      path: '/admin/mappings/$try',
      access: 'admin',
      handle: (request) => tryMap(request, options),
    },
  ];
}

function listOf({ maps }: Mapper): HttpAnswer {
  return { status: 200, body: { total: maps.length, items: maps.map((name) => ({ name })) } };
}

/** `{ map, bundle, issues, trace, unmapped }`; `disposition` where the message would be set aside without a map. */
async function tryMap(request: HttpRequest, options: MappingRoutesOptions): Promise<HttpAnswer> {
  admitNames(request.query, ['map']);
  if (request.body.byteLength === 0) throw badRequest('the body is the message');
  const format = options.formats.of(request.headers['content-type'] ?? '');
  const { message, issues } = format.parse(request.body);
  if (message === undefined) return answer({ issues });
  const asked = request.query.get('map');
  const selection = asked === null ? options.mapper.select(message) : ({ kind: 'map', name: asked } as const);
  switch (selection.kind) {
    case 'none':
      return answer({ issues: [...issues, noMap(message)] });
    case 'set-aside':
      return answer({ issues, disposition: selection.disposition });
    case 'map':
      return answer(await mapWith(selection.name, message, issues, request, options));
  }
}

const answer = (found: object): HttpAnswer => ({
  status: 200,
  body: { map: null, bundle: null, issues: [], trace: [], unmapped: [], ...found },
});

const noMap = ({ type }: WireMessage): Issue => ({
  severity: 'error',
  code: 'no-map',
  text: `no map is for ${type}: name one with ?map=, or add one under mappings/`,
});

/** Answers the map's questions as the asking person may see the store. */
async function mapWith(
  map: string,
  message: WireMessage,
  issues: readonly Issue[],
  { actor }: HttpRequest,
  { mapper, repository, clock }: MappingRoutesOptions,
): Promise<object> {
  const answers = await answerQuestions(mapper.questions(message, map), repository.as(actor));
  const context = { messageId: 'try', receivedAt: clock.now(), channel: 'try' };
  const result = mapper.map(message, map, answers, context);
  const { bundle = null, trace, unmapped } = result;
  return { map, bundle, issues: [...issues, ...result.issues], trace, unmapped };
}
