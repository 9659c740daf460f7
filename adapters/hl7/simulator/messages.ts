// The messages of the simulated analysers, built as their makers document them.
import type { Message } from 'node-hl7-client';
import { escaped, usualDelimiters } from '../delimiters.ts';
import { timeLike } from '../time.ts';
import { bloodCount, type Measurement } from './blood-count.ts';

/** Mindray BC: blood counts, HL7 2.3.1. Mindray BS: chemistry, a test a message. law: IHE LAW, HL7 2.5.1. */
export type AnalyserKind = 'mindray-bc' | 'mindray-bs' | 'law';

/** One run of one sample. */
export interface Run {
  readonly controlId: string;
  readonly sampleId: string;
  /** Ms since 1970. */
  readonly at: number;
  readonly patient: SimulatedPatient;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface SimulatedPatient {
  readonly id: string;
  readonly family: string;
  readonly given: string;
  readonly sex: 'Female' | 'Male';
  /** 14 digits. */
  readonly born: string;
  /** Has too few platelets, always: a critical result. Others have them by chance. */
  readonly lowPlatelets?: boolean;
}

/** Nobody that there is. */
export const patients: readonly SimulatedPatient[] = [
  { id: '7393670', family: 'Wanjiru', given: 'Amina', sex: 'Female', born: '19880412000000' },
  { id: '7393671', family: 'Otieno', given: 'Brian', sex: 'Male', born: '19750923000000' },
  { id: '7393672', family: 'Chebet', given: 'Faith', sex: 'Female', born: '20010117000000' },
  { id: '7393673', family: 'Mwangi', given: 'Joseph', sex: 'Male', born: '19620530000000' },
  { id: '7393674', family: 'Nekesa', given: 'Grace', sex: 'Female', born: '19951108000000' },
];

type Fields = Readonly<Record<string, string>>;
type Builder = (run: Run, begin: (header: string) => Message) => Message;

/** Values at their places; the builder itself escapes nothing. */
function add(message: Message, name: string, fields: Fields): void {
  const segment = message.addSegment(name);
  for (const [place, value] of Object.entries(fields)) segment.set(place, escaped(value, usualDelimiters));
}

const stamp = ({ at }: Run): string => timeLike('', at);

const mindrayBc: Builder = (run, begin) => {
  const message = begin(
    `MSH|^~\\&|BC-5380|Mindray|||${stamp(run)}||ORU^R01|${run.controlId}|P|2.3.1||||||UNICODE`,
  );
  const { id, family, given, born, sex } = run.patient;
  add(message, 'PID', { '1': '1', '3.1': id, '3.5': 'MR', '5.1': family, '5.2': given, '7': born, '8': sex });
  add(message, 'PV1', { '1': '1', '3.1': 'Medical ward', '3.3': 'Bed 4' });
  add(message, 'OBR', {
    '1': '1',
    '3': run.sampleId,
    '4.1': '00001',
    '4.2': 'Automated Count',
    '4.3': '99MRC',
    '7': stamp(run),
    '24': 'HM',
    '32': 'Simulator',
  });
  addModes(message);
  bloodCount(run.random, run.patient.lowPlatelets).forEach((measurement, index) =>
    addCount(message, measurement, index + 5),
  );
  return message;
};

/** What a Mindray BC tells about the run itself, before the results. */
function addModes(message: Message): void {
  const modes = [
    ['08001', 'Take Mode', 'O'],
    ['08002', 'Blood Mode', 'W'],
    ['08003', 'Test Mode', 'CBC+DIFF'],
    ['01002', 'Ref Group', 'General'],
  ] as const;
  modes.forEach(([code, name, value], index) =>
    add(message, 'OBX', {
      '1': String(index + 1),
      '2': 'IS',
      '3.1': code,
      '3.2': name,
      '3.3': '99MRC',
      '5': value,
      '11': 'F',
    }),
  );
}

function addCount(message: Message, measured: Measurement, position: number): void {
  const segment = message.addSegment('OBX');
  const fields: Fields = {
    '1': String(position),
    '2': 'NM',
    '3.1': measured.code,
    '3.2': measured.name,
    '3.3': measured.system,
    '5': measured.value,
    '6': measured.unit,
    '7': measured.range,
    // A repetition, so not to be escaped.
    '8': measured.flag,
    '11': 'F',
  };
  for (const [place, value] of Object.entries(fields)) segment.set(place, value);
}

/** Local test numbers of a chemistry analyser, as its operator has set them up. */
const chemistry = [
  ['2', 'GLU', 'mmol/L', 3, 12],
  ['7', 'CREA', 'umol/L', 40, 160],
  ['11', 'ALT', 'U/L', 5, 90],
] as const;

const mindrayBs: Builder = (run, begin) => {
  const message = begin(
    `MSH|^~\\&|Mindray|BS-200E|||${stamp(run)}||ORU^R01|${run.controlId}|P|2.3.1||||0||ASCII|||`,
  );
  const { id, family, given, born, sex } = run.patient;
  const [number, name, unit, low, high] =
    chemistry[Math.floor(run.random() * chemistry.length)] ?? chemistry[0];
  const value = (low + run.random() * (high - low)).toFixed(6);
  add(message, 'PID', { '1': '1', '2': id, '5': `${given} ${family}`, '7': born, '8': sex.charAt(0) });
  add(message, 'OBR', {
    '1': '1',
    '2': run.sampleId,
    '3': '2',
    '4.1': 'Mindray',
    '4.2': 'BS-200E',
    '15': 'serum',
  });
  add(message, 'OBX', {
    '1': '1',
    '2': 'NM',
    '3': number,
    '4': name,
    '5': value,
    '6': unit,
    '7': '-',
    '11': 'F',
  });
  return message;
};

const law: Builder = (run, begin) => {
  const time = timeLike('+0300', run.at);
  const message = begin(
    `MSH|^~\\&|SIMULATOR|LAB|Host||${time}||OUL^R22^OUL_R22|${run.controlId}|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE`,
  );
  const copies = Math.round(10 ** (1 + run.random() * 4));
  add(message, 'SPM', {
    '1': '1',
    '2.1': run.sampleId,
    '4.1': 'PLAS',
    '4.2': 'plasma',
    '4.3': 'HL70487',
    '11.1': 'P',
    '11.3': 'HL70369',
  });
  add(message, 'SAC', { '3': run.sampleId });
  add(message, 'OBR', { '2': '""', '4.1': '70241-5', '4.2': 'HIV', '4.3': 'LN' });
  add(message, 'ORC', { '1': 'SC', '5': 'CM' });
  add(message, 'OBX', {
    '1': '1',
    '2': 'NM',
    '3.1': 'HIV',
    '3.2': 'HIV',
    '3.3': '99SIM',
    '4': '1',
    '5': String(copies),
    '6.1': '{copies}/mL',
    '6.3': 'UCUM',
    '11': 'F',
    '16': 'AUTO',
    '19': time,
    '29': 'RSLT',
  });
  return message;
};

const builders: Readonly<Record<AnalyserKind, Builder>> = {
  'mindray-bc': mindrayBc,
  'mindray-bs': mindrayBs,
  law,
};

export type MessageBuilder = (kind: AnalyserKind, run: Run) => Buffer;

/** Loads the library that the messages are built with: a fifth of a second and 110 MB, so only when a simulator runs. */
export async function loadMessageBuilder(): Promise<MessageBuilder> {
  const { Message } = await import('node-hl7-client');
  return (kind, run) => {
    const message = builders[kind](run, (text) => new Message({ text }));
    return Buffer.from(`${message.toString()}\r`);
  };
}
