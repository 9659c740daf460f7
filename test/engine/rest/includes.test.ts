// What comes along with a search: https://hl7.org/fhir/R4/search.html#include, #revinclude and :iterate.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { startServer, type RunningServer } from './running-server.ts';

const chainLength = 25;
const to = (reference: string): { readonly reference: string } => ({ reference });
const related = (resource: string): readonly object[] => [{ type: 'depends-on', resource }];
const resources = [
  { resourceType: 'Organization', id: 'ward', partOf: to('Organization/hospital') },
  { resourceType: 'Organization', id: 'hospital', partOf: to('Organization/county') },
  { resourceType: 'Organization', id: 'county', partOf: to('Organization/ward') },
  { resourceType: 'Patient', id: 'p', managingOrganization: to('Organization/ward') },
  { resourceType: 'Patient', id: 'lonely' },
  { resourceType: 'Group', id: 'g', type: 'person', actual: true },
  {
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    subject: to('Patient/p'),
    performer: [to('Organization/ward')],
  },
  { resourceType: 'Observation', id: 'o2', status: 'final', subject: to('Patient/p') },
  { resourceType: 'Observation', id: 'o3', status: 'amended', subject: to('Group/g') },
  { resourceType: 'Observation', id: 'o4', status: 'amended', subject: to('Patient/nobody') },
  {
    resourceType: 'DiagnosticReport',
    id: 'r',
    status: 'final',
    result: [to('Observation/o1')],
    subject: to('Patient/p'),
  },
  { resourceType: 'Questionnaire', id: 'q1', url: 'http://q', version: '1', derivedFrom: ['http://base'] },
  { resourceType: 'Questionnaire', id: 'q2', url: 'http://q', version: '2' },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'a1',
    questionnaire: 'http://q|1',
    subject: to('Patient/asked'),
  },
  {
    resourceType: 'QuestionnaireResponse',
    id: 'a2',
    questionnaire: 'http://q',
    subject: to('Patient/asked'),
  },
  { resourceType: 'Library', id: 'l1', url: 'http://lib', relatedArtifact: related('http://lib/more|1') },
  {
    resourceType: 'Library',
    id: 'l2',
    url: 'http://lib/more',
    version: '1',
    relatedArtifact: related('http://lib/last'),
  },
  { resourceType: 'Library', id: 'l3', url: 'http://lib/last', relatedArtifact: related('http://lib') },
  { resourceType: 'Measure', id: 'm', url: 'http://m', library: ['http://lib'] },
  ...Array.from({ length: chainLength }, (_none, place) => ({
    resourceType: 'Location',
    id: `l${place}`,
    ...(place + 1 < chainLength ? { partOf: to(`Location/l${place + 1}`) } : {}),
  })),
];

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  const index = loadSearchIndex();
  await server.store.transact(async (transaction) => {
    for (const resource of resources) {
      const { resourceType: type, id } = resource;
      const body = JSON.stringify(resource);
      const version = { type, id, version: 1, lastUpdated: 1, method: 'PUT', body } as const;
      await transaction.resources.write(version, index.entries(resource), []);
    }
  });
});
afterAll(() => server.stop());

interface Bundle {
  readonly entry?: readonly {
    readonly resource: { readonly resourceType: string; readonly id: string };
    readonly search: { readonly mode: string };
  }[];
}

const cases: readonly (readonly [rule: string, query: string, included: readonly string[]])[] = [
  ['each resource comes once', 'Observation?_include=Observation:subject', ['Patient/p', 'Group/g']],
  ['only of the type that is asked', 'Observation?_include=Observation:subject:Group', ['Group/g']],
  ['a match does not come again', 'Patient?_include=Patient:link', []],
  ['`patient` is `subject` at a Patient', 'Observation?_include=Observation:patient', ['Patient/p']],
  ['all references', 'Observation?_id=o1&_include=*', ['Patient/p', 'Organization/ward']],
  [
    'all references, and theirs',
    'Observation?_id=o1&_include:iterate=*',
    ['Patient/p', 'Organization/ward', 'Organization/hospital', 'Organization/county'],
  ],
  [
    'all references of a type',
    'Observation?_id=o1&_include=Observation:*',
    ['Patient/p', 'Organization/ward'],
  ],
  [
    'without :iterate only from the matches',
    'Observation?_id=o2&_include=Observation:subject&_include=Patient:organization',
    ['Patient/p'],
  ],
  [
    ':iterate goes on from what came along, and a circle ends',
    'Observation?_id=o2&_include=Observation:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof',
    ['Patient/p', 'Organization/ward', 'Organization/hospital', 'Organization/county'],
  ],
  [
    'what refers to the matches',
    'Patient?_revinclude=Observation:patient',
    ['Observation/o1', 'Observation/o2'],
  ],
  [
    'what refers to what refers to them',
    'Patient?_id=p&_revinclude=Observation:subject&_revinclude:iterate=DiagnosticReport:result',
    ['Observation/o1', 'Observation/o2', 'DiagnosticReport/r'],
  ],
  ['by any reference', 'Patient?_id=p&_revinclude=DiagnosticReport:*', ['DiagnosticReport/r']],
  [
    'from everything at once',
    'Patient?_id=p&_revinclude=*',
    ['Observation/o1', 'Observation/o2', 'DiagnosticReport/r'],
  ],
  [
    'a canonical with its version',
    'QuestionnaireResponse?_id=a1&_include=QuestionnaireResponse:questionnaire',
    ['Questionnaire/q1'],
  ],
  [
    'a canonical without a version: the latest',
    'QuestionnaireResponse?_id=a2&_include=QuestionnaireResponse:questionnaire',
    ['Questionnaire/q2'],
  ],
  ['a canonical among all references', 'QuestionnaireResponse?_id=a1&_include=*', ['Questionnaire/q1']],
  [
    'a canonical of another type',
    'QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire:Measure',
    [],
  ],
  [
    'what names the matches',
    'Questionnaire?_id=q1&_revinclude=QuestionnaireResponse:questionnaire',
    ['QuestionnaireResponse/a1'],
  ],
  [
    'what names the latest',
    'Questionnaire?_id=q2&_revinclude=QuestionnaireResponse:questionnaire',
    ['QuestionnaireResponse/a2'],
  ],
  ['whatever names it', 'Library?_id=l1&_revinclude=*', ['Library/l3', 'Measure/m']],
  [
    'from canonical to canonical',
    'Measure?_include=Measure:depends-on&_include:iterate=Library:depends-on',
    ['Library/l1', 'Library/l2', 'Library/l3'],
  ],
  [
    'back from canonical to canonical',
    'Library?_id=l3&_revinclude:iterate=Library:depends-on&_revinclude:iterate=Measure:depends-on',
    ['Library/l1', 'Library/l2', 'Measure/m'],
  ],
  ['for this type of target only', 'Group?_revinclude=Observation:subject:Patient', []],
];

test.each(cases)('%s: %s', async (_rule, query, included) => {
  const { entry = [] } = (await (await server.ask(query)).json()) as Bundle;
  const found = entry.filter(({ search }) => search.mode === 'include').map(({ resource }) => resource);
  expect(found.map(({ resourceType, id }) => `${resourceType}/${id}`).sort()).toEqual([...included].sort());
});

test.each([
  ['further than :iterate goes', 'Location?_id=l0&_include:iterate=Location:partof'],
  ['along what is no reference', 'Patient?_include=Patient:name'],
])('is refused: %s', async (_what, query) => {
  expect((await server.ask(query)).status).toBe(400);
});

test('a client sees nothing come along that it may not see', async () => {
  const authorization = `Bearer ${await server.tokenOf('reader')}`;
  const ask = (query: string): Promise<Response> => server.ask(query, { headers: { authorization } });
  expect((await ask('Observation?_id=o1')).status).toBe(200);
  expect((await ask('Observation?_id=o1&_include=Observation:subject')).status).toBe(403);
  expect((await ask('Observation?_id=o1&_revinclude=*')).status).toBe(403);
  expect((await ask('Observation?_filter=subject:Patient.name eq x')).status).toBe(403);
  expect((await ask('Observation?_has:DiagnosticReport:result:status=final')).status).toBe(403);
  expect((await ask('Observation?_list=1')).status).toBe(403);
  expect((await ask('Observation?performer:below=Organization/county')).status).toBe(403);
  expect((await ask('Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status')).status).toBe(
    200,
  );
});
