// The answers to one message as one piece of bytes, so that they are stored beside it and given again as they were.

/** ASCII FS ends a block on the wire, so no answer holds one. */
const separator = 0x1c;

/** undefined where there is no answer. */
export function joinAnswers(answers: readonly Uint8Array[]): Uint8Array | undefined {
  if (answers.length === 0) return undefined;
  const between = Uint8Array.of(separator);
  return Buffer.concat(answers.flatMap((answer, index) => (index === 0 ? [answer] : [between, answer])));
}

export function splitAnswers(stored: Uint8Array | undefined): readonly Uint8Array[] {
  const answers: Uint8Array[] = [];
  let rest = stored;
  while (rest !== undefined) {
    const end = rest.indexOf(separator);
    answers.push(end === -1 ? rest : rest.subarray(0, end));
    rest = end === -1 ? undefined : rest.subarray(end + 1);
  }
  return answers;
}
