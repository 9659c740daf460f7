// Step 4 of processing: select a map, answer its questions, make resources (or learn that none are to be made).
import { parseResource } from '../fhir/exact-json.ts';
import type { Answers, MapResult, Question } from '../mapping/mapper.ts';
import type { ReadsResources } from '../repository/repository.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { firstError, issueText } from './issues.ts';
import {
  deadEnd,
  type DeadEnd,
  type Filtered,
  type Mapped,
  type Meaning,
  type Parsed,
  type ProcessingParts,
} from './stages.ts';

export async function map(message: Parsed | Filtered, parts: ProcessingParts): Promise<Mapped | DeadEnd> {
  if ('meaning' in message) return message;
  const { map: asked = 'auto' } = parts.settingsOf(message.record.channel);
  if (asked === 'none') return { ...message, meaning: { kind: 'handed-on' } };
  if (message.wire.format === 'fhir' && asked === 'auto') {
    return { ...message, meaning: meaningOfFhir(message.wire) };
  }
  return asked === 'auto' ? mapByType(message, parts) : mapWith(asked, message, parts);
}

async function mapByType(message: Parsed, parts: ProcessingParts): Promise<Mapped | DeadEnd> {
  const selection = parts.mapper.select(message.wire);
  switch (selection.kind) {
    case 'none':
      return deadEnd(
        'no-map',
        `no map is for ${message.wire.type}: add one under mappings/ and replay the message`,
      );
    case 'set-aside':
      return { ...message, meaning: { kind: 'set-aside', map: undefined, reason: selection.disposition } };
    case 'map':
      return mapWith(selection.name, message, parts);
  }
}

async function mapWith(name: string, message: Parsed, parts: ProcessingParts): Promise<Mapped | DeadEnd> {
  const { record, wire } = message;
  const context = { messageId: record.id, receivedAt: record.receivedAt, channel: record.channel };
  const asking = parts.mapper.ask(wire, name, context);
  const result = asking.answered(await answerQuestions(asking.questions, parts.unit));
  return firstError(result.issues) ?? { ...message, meaning: meaningOf(name, result) };
}

/** Each question answered by what it names, or by the first page of its search: maps ask narrowly. */
export async function answerQuestions(
  questions: readonly Question[],
  reader: ReadsResources,
): Promise<Answers> {
  const answers: [string, Answers[string]][] = [];
  for (const question of questions) {
    const found = await answersTo(question, reader);
    const resources = found.flatMap(({ body }) => (body === undefined ? [] : [parseResource(body)]));
    answers.push([question.name, resources]);
  }
  return Object.fromEntries(answers);
}

async function answersTo(
  { type, query, ids }: Question,
  reader: ReadsResources,
): Promise<readonly StoredVersion[]> {
  if (ids !== undefined) return reader.readMany(type, ids);
  return (await reader.search(type, query)).matches;
}

/** No map is asked: it is carried out as its sender wrote it. */
function meaningOfFhir({ bundle, type }: Parsed['wire']): Meaning {
  if (bundle !== undefined) return { kind: 'resources', map: 'transaction', bundle };
  const text = `a ${type} that is no transaction; it is kept, and nothing is stored of it`;
  return { kind: 'set-aside', map: undefined, reason: { code: 'fhir-no-transaction', text } };
}

function meaningOf(name: string, { bundle, issues }: MapResult): Meaning {
  if (bundle !== undefined) return { kind: 'resources', map: name, bundle };
  const [issue] = issues;
  const reason =
    issue === undefined
      ? { code: 'nothing-to-store', text: 'the map makes no resources of this message' }
      : { code: issue.code, text: issueText(issue) };
  return { kind: 'set-aside', map: name, reason };
}
