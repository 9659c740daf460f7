// Runs a compiled map over one message: questions before, resources after they are answered.
import type { FhirResource } from '../fhir/resource.ts';
import { groupSegments, type GroupedMessage } from './groups.ts';
import type { TimeZone } from './hl7-time.ts';
import { offsetOf } from './hl7-time.ts';
import type { Answers, Asking, MapContext, MapResult, Question } from './mapper.ts';
import type { MessageMap } from './message-map.ts';
import { Output } from './output.ts';
import { textAt } from './places.ts';
import { Recorder } from './recorder.ts';
import { FirstMakings, makePlainly } from './remaking.ts';
import { Scope, type Makings, type Run } from './scope.ts';
import { runSteps, type Work } from './steps.ts';
import type { Issue, WireMessage, WireSegment } from './wire-message.ts';

/** What every map of an engine knows without a message. */
export interface Surroundings {
  readonly settings: ReadonlyMap<string, string>;
  readonly zoneOf: (name: string) => TimeZone;
}

interface Asked {
  readonly message: WireMessage;
  readonly map: MessageMap;
  readonly answers: Answers;
  readonly context: MapContext;
}

/** Questions named so ask whether what will be made is stored already. */
const earlierName = 'earlier:';
const idsPerQuestion = 200;

export const runMap = (asked: Asked, surroundings: Surroundings): MapResult =>
  resultOf(carryOut(asked, surroundings), asked, surroundings);

/**
 * A run without answers tells what the map asks, and whether what it makes is there already: ids do not depend on answers. Where all
 * answers are empty that run was the run over them, too; else what does not look at them is taken over from it.
 */
export function askFirst(asking: Omit<Asked, 'answers'>, surroundings: Surroundings): Asking {
  const unanswered = { ...asking, answers: {} };
  const makings = new FirstMakings();
  const first = carryOut(unanswered, surroundings, { makings });
  return {
    questions: questionsOf(first),
    answered: (answers) => {
      const isEmpty = Object.values(answers).every((found) => found.length === 0);
      if (isEmpty) return resultOf(first, unanswered, surroundings);
      const asked = { ...asking, answers };
      return resultOf(
        carryOut(asked, surroundings, { makings: makings.again(), first }),
        asked,
        surroundings,
      );
    },
  };
}

function resultOf({ output }: Work, asked: Asked, surroundings: Surroundings): MapResult {
  const failed = output.issues.some(({ severity }) => severity === 'error');
  const recorded = (): { readonly recorder: Recorder; readonly output: Output } => {
    const recorder = new Recorder();
    return { recorder, output: carryOut(asked, surroundings, { recorder }).output };
  };
  return {
    bundle: failed ? undefined : output.bundle(),
    issues: output.issues,
    // Made when asked for: the way of a message needs neither.
    get trace() {
      const { recorder, output: made } = recorded();
      return failed ? [] : recorder.trace(made.names());
    },
    get unmapped() {
      const { recorder, output: made } = recorded();
      return recorder.unmapped(asked.message, failed ? () => undefined : made.names());
    },
  };
}

/** What the map of a query finds wrong with it, and what it tells its answer. */
export function readQuery(
  asked: Omit<Asked, 'context'>,
  surroundings: Surroundings,
): Pick<Work, 'told'> & { readonly issues: readonly Issue[] } {
  const { output, told } = carryOut({ ...asked, context: nowhere }, surroundings);
  return { told, issues: output.issues };
}

/** Questions are the same wherever the message came from. */
export const nowhere: MapContext = { messageId: '', receivedAt: 0, channel: '' };

function questionsOf({ output, questions }: Work): readonly Question[] {
  const ids = new Map<string, string[]>();
  for (const { resource, wish } of output.entries) {
    const { resourceType: type, id = '' } = resource;
    if (wish.write === 'if-none-exist' || type === 'Provenance') continue;
    ids.set(type, [...(ids.get(type) ?? []), id]);
  }
  return [...questions, ...[...ids].flatMap(([type, of]) => earlierQuestions(type, of))];
}

function earlierQuestions(type: string, ids: readonly string[]): readonly Question[] {
  const pages = Math.ceil(ids.length / idsPerQuestion);
  return Array.from({ length: pages }, (_, page) => {
    const some = ids.slice(page * idsPerQuestion, (page + 1) * idsPerQuestion);
    return {
      type,
      ids: some,
      name: `${earlierName}${type}${page === 0 ? '' : `#${page + 1}`}`,
      query: `_id=${some.join(',')}&_count=${some.length}`,
    };
  });
}

/** How a run is carried out. */
interface Manner {
  readonly recorder?: Recorder;
  readonly makings?: Makings;
  /** An earlier run over the same message by the same map. */
  readonly first?: CarriedOut;
}

interface CarriedOut extends Work {
  readonly run: Run;
  readonly grouped: GroupedMessage;
}

function carryOut(asked: Asked, surroundings: Surroundings, manner: Manner = {}): CarriedOut {
  const { message, map, answers, context } = asked;
  const { first, recorder, makings = makePlainly } = manner;
  const grouped = first?.grouped ?? groupSegments(message, map.shape);
  const run: Run = {
    message,
    answers,
    recorder,
    makings,
    occurrence: first?.run.occurrence ?? occurrences(message),
    zoneOf: surroundings.zoneOf,
    definitions: map.definitions,
    defined: definedAlready(first?.run),
    bindable: map.bindable,
    around: { looks: 0, watch: undefined },
    nulls: { seen: 0, heeded: false },
    values: first?.run.values ?? valuesOf(message, context, surroundings),
  };
  const output = new Output(earlierOf(answers), context.messageId);
  const work = { run, grouped, output, questions: [], told: new Map<string, readonly string[]>() };
  output.issues.push(...groupingIssues(grouped, run));
  runSteps(map.steps, new Scope(run, grouped.root), work);
  return work;
}

/** Definitions that looked at nothing but the message. */
const definedAlready = (first: Run | undefined): Run['defined'] =>
  new Map(
    [...(first?.defined ?? [])].map(([group, memos]) => [
      group,
      new Map([...memos].filter(([, { looks }]) => looks === 0)),
    ]),
  );

function groupingIssues({ strays, incomplete }: GroupedMessage, { occurrence }: Run): readonly Issue[] {
  const called = (segment: WireSegment): string => `${segment.name}[${occurrence(segment)}]`;
  return [
    ...strays.map((stray) => strayIssue(called(stray))),
    ...incomplete.flatMap(({ opener, shape }) =>
      opener ? [incompleteIssue(called(opener), shape.needs ?? '')] : [],
    ),
  ];
}

const strayIssue = (place: string): Issue => ({
  place,
  severity: 'information',
  code: 'segment-not-mapped',
  text: 'the map has no use for this segment',
});

const incompleteIssue = (place: string, needs: string): Issue => ({
  place,
  severity: 'error',
  code: 'group-incomplete',
  text: `the group that starts here has no ${needs} of its own, so that it is not sure whose results are whose`,
});

/** How many of its name a segment is; counted once, when first asked. */
function occurrences(message: WireMessage): (segment: WireSegment) => number {
  let known: Map<WireSegment, number> | undefined;
  return (segment) => {
    known ??= countOccurrences(message);
    return known.get(segment) ?? 1;
  };
}

function countOccurrences(message: WireMessage): Map<WireSegment, number> {
  const counts = new Map<string, number>();
  return new Map(
    message.segments.map((segment) => {
      const count = (counts.get(segment.name) ?? 0) + 1;
      counts.set(segment.name, count);
      return [segment, count];
    }),
  );
}

/** Whatever was answered is stored. */
const earlierOf = (answers: Answers): ReadonlyMap<string, FhirResource> =>
  new Map(
    Object.values(answers).flatMap((resources) =>
      resources.map((resource) => [`${resource.resourceType}/${resource.id ?? ''}`, resource] as const),
    ),
  );

/** HL7 2.5.1, MSH-7: its offset holds for the times of the message that have none; else the facility's zone does. */
function valuesOf(
  message: WireMessage,
  context: MapContext,
  { settings }: Surroundings,
): ReadonlyMap<string, unknown> {
  const [header] = message.segments;
  const sent = header && textAt(header, 7, 1, 1, 1);
  const zone = sent === undefined ? undefined : offsetOf(sent);
  return new Map<string, unknown>([
    ...settings,
    ['zone', zone ?? settings.get('timeZone')],
    ['messageId', context.messageId],
    ['channel', context.channel === '' ? undefined : context.channel],
    ['received', message.resource === undefined ? undefined : [message.resource]],
    ['receivedAt', new Date(context.receivedAt).toISOString()],
  ]);
}
