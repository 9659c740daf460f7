// Why a message cannot be made.
import { Refusal } from '../../kernel/outcomes.ts';

/** `place`: `OBR-4`. */
export const cannot = (why: string, place?: string): Refusal => new Refusal('unprocessable', why, place);
