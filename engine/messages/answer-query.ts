// Step 2 of arrival: what a query asks is looked up, and the answer takes the place of the application acknowledgement. Only on channels
// that allow it, for answers give out what is known of patients; with the rights of the channel, and asked anew each time.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { formatInstant } from '../fhir/instants.ts';
import { parseResource } from '../fhir/exact-json.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type {
  Answers,
  AskedQuery,
  QueryAnswer,
  QueryHeader,
  QueryParty,
  QueryReader,
} from '../mapping/mapper.ts';
import type { OutgoingSegment } from '../mapping/outgoing-message.ts';
import type { WireMessage } from '../mapping/wire-message.ts';
import type { ReadsResources, Repository } from '../repository/repository.ts';
import type { MessageFormat } from './ports.ts';
import type { ArrivalParts, ChannelSettings, GivenAnswer, Identified, QueryAnswers } from './stages.ts';

export interface QueryAnswersOptions {
  readonly mapper: QueryReader;
  readonly repository: Pick<Repository, 'as'>;
  readonly settingsOf: (channel: string) => ChannelSettings;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly wakeOutbox: () => void;
}

export async function answerQuery(message: Identified, { queries }: ArrivalParts): Promise<Identified> {
  if (queries === undefined || !mayAsk(message)) return message;
  const given = await queries.answer(message);
  return given === undefined ? message : { ...message, given };
}

/** Read from the envelope: a result is not parsed here to learn that it asks nothing. */
const mayAsk = ({ envelope, format }: Identified): boolean =>
  envelope.unreadable === undefined &&
  envelope.messageType.startsWith('QBP') &&
  format.renderMessage !== undefined;

export function createQueryAnswers(options: QueryAnswersOptions): QueryAnswers {
  return {
    sent: options.wakeOutbox,
    answer: async ({ arrival, format, record }) => {
      const settings = options.settingsOf(record.channel);
      const { message: wire } = format.parse(arrival.raw, arrival.charset ?? settings.charset);
      const asked = wire && options.mapper.query(wire);
      if (wire === undefined || asked === undefined) return undefined;
      const allowed = settings.queries?.[asked.kind] !== undefined;
      // A channel that only hands messages on leaves the answer to whom it hands them to.
      if (!allowed && settings.map === 'none') return undefined;
      const header = headerOf(wire, options);
      const answer = allowed
        ? await answered(asked, header, options.repository.as(actorOf(record.channel)))
        : asked.refuse('AR', notAllowed, header);
      return { bytes: written(answer.segments, format), follow: followOf(answer, record, format, options) };
    },
  };
}

const notAllowed = {
  code: 'query-not-allowed',
  text: 'this channel answers no such queries; its definition must allow them',
} as const;

const actorOf = (channel: string): Actor => ({ kind: 'device', id: channel, scopes: ['system/*.cruds'] });

async function answered(
  asked: AskedQuery,
  header: QueryHeader,
  reader: ReadsResources,
): Promise<QueryAnswer> {
  try {
    const { answers, continuation } = await found(asked, reader);
    return asked.answer(answers, continuation === undefined ? header : { ...header, continuation });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return asked.refuse('AE', { code: error.code, text: error.message }, header);
  }
}

/** `continuation`: where the next page begins of the question that may be answered by pages. */
async function found(
  { questions, pages }: AskedQuery,
  reader: ReadsResources,
): Promise<{ readonly answers: Answers; readonly continuation: string | undefined }> {
  const answers: Record<string, Answers[string]> = {};
  let continuation: string | undefined;
  for (const { name, type, query } of questions) {
    const { matches, next } = await reader.search(type, query);
    answers[name] = matches.flatMap(({ body }) => (body === undefined ? [] : [parseResource(body)]));
    if (name === pages && next !== undefined) {
      continuation = new URLSearchParams(next).get('_page') ?? undefined;
    }
  }
  return { answers, continuation };
}

function headerOf(
  wire: WireMessage,
  { clock, ids }: Pick<QueryAnswersOptions, 'clock' | 'ids'>,
): QueryHeader {
  const [header] = wire.segments;
  const party = (field: number): QueryParty => {
    const [name = '', id = '', type = ''] = [1, 2, 3].map((part) => header?.text(field, 1, part) ?? '');
    return {
      ...(name === '' ? {} : { name }),
      ...(id === '' ? {} : { id }),
      ...(type === '' ? {} : { type }),
    };
  };
  return {
    at: formatInstant(clock.now()),
    controlId: ids.secret(12),
    followId: ids.secret(12),
    queryId: header?.text(10) ?? '',
    sendingApplication: party(5),
    sendingFacility: party(6),
    receivingApplication: party(3),
    receivingFacility: party(4),
    processing: header?.text(11) ?? '',
    version: header?.text(12) ?? '',
  };
}

const written = (segments: readonly OutgoingSegment[], format: MessageFormat): Uint8Array =>
  format.renderMessage?.(segments) ?? new Uint8Array();

function followOf(
  { follow }: QueryAnswer,
  { channel, format: contentType }: Identified['record'],
  format: MessageFormat,
  { settingsOf, clock, ids }: QueryAnswersOptions,
): GivenAnswer['follow'] {
  const work = settingsOf(channel).queries?.work;
  if (follow === undefined || work === undefined) return undefined;
  const destination = `send:${work.destination}`;
  const payload = written(follow, format);
  return { id: ids.next(), destination, lane: destination, createdAt: clock.now(), contentType, payload };
}
