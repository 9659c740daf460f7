// One map for one kind of query: what it asks of the store, and which messages are made of what is found.
import { located } from './language/template.ts';
import type { QueryKind } from './mapper.ts';
import { compileMessageMap, type MessageMap } from './message-map.ts';
import type { AnswerMap } from './outbound/outbound-map.ts';
import { scalarText, type MapSource } from './source.ts';
import type { StepLibrary } from './steps.ts';

export interface QueryMap extends MessageMap {
  readonly kind: QueryKind;
  readonly answer: AnswerMap;
  /** What is sent besides, as a message of its own. */
  readonly follow: AnswerMap | undefined;
  /** The question of which an answer may hold one page only. */
  readonly pages: string | undefined;
}

/** Throws MapFault. The source has passed its schema. */
export function compileQueryMap(
  source: MapSource,
  library: StepLibrary,
  answers: ReadonlyMap<string, AnswerMap>,
): QueryMap {
  const { document } = source;
  const text = (key: string): string | undefined => scalarText(document.get(key, true));
  const answerCalled = (key: string): AnswerMap =>
    located(document.get(key, true), source, () => {
      const answer = answers.get(text(key) ?? '');
      if (answer === undefined) {
        throw new SyntaxError(`there is no mappings/hl7v2/outbound/answers/${text(key)}.yaml`);
      }
      return answer;
    });
  return {
    ...compileMessageMap(source, undefined, library),
    name: text('query') ?? '',
    kind: text('kind') as QueryKind,
    answer: answerCalled('answer'),
    follow: document.has('follow') ? answerCalled('follow') : undefined,
    pages: text('pages'),
  };
}
