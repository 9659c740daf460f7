// A search parameter's FHIRPath expression as paths into the JSON of one resource type, directed by the types of the elements.
// Compiled: paths, unions, [0], ofType and as, where(x = literal), where(resolve() is T), extension(url), and
// `x.exists() and x != false`. https://hl7.org/fhir/R4/searchparameter-registry.html
import {
  AndAtom,
  AsAtom,
  DotAtom,
  EqualsAtom,
  FunctionAtom,
  IndexerAtom,
  IsAtom,
  LiteralAtom,
  NotEqualsAtom,
  parseFhirPath,
  SymbolAtom,
  UnionAtom,
  type Atom,
} from '@medplum/core';
import type { ElementFacts } from './element-facts.ts';

export interface Step {
  readonly property: string;
  readonly where?: readonly [string, string | boolean];
  readonly first?: true;
}

/** One way into the resource, with the type of what lies there. */
export interface Branch {
  readonly steps: readonly Step[];
  readonly type: string;
  /** Where the elements of what lies there are described. */
  readonly path: string;
  /** From `where(resolve() is Patient)`. */
  readonly pointsAt?: string;
  /** Whether one resource can have several values there. */
  readonly many: boolean;
  /** Code systems that its binding implies. */
  readonly systems: readonly string[];
}

/** Where an expression begins. */
interface Origin {
  readonly from: Branch;
  readonly type: string;
  readonly facts: ElementFacts;
}

/** The whole resource. */
export const wholeResource = (type: string): Branch => ({
  steps: [],
  type,
  path: type,
  many: false,
  systems: [],
});

export interface CompiledExpression {
  readonly branches: readonly Branch[];
  /** Properties `p` of the resource in `p.exists() and p != false`. */
  readonly presences: readonly (readonly string[])[];
}

/** The expression lies outside what is compiled. */
export class OutsideSubset extends Error {}

const roots = new Set(['Resource', 'DomainResource']);

/** Of a union over many types only the part that begins at `type` (or at no type) is kept. Throws OutsideSubset. */
export function compileExpression(expression: string, type: string, facts: ElementFacts): CompiledExpression {
  const branches: Branch[] = [];
  const presences: (readonly string[])[] = [];
  const { child } = parseFhirPath(expression);
  const origin = { from: wholeResource(type), type, facts };
  for (const atom of unionParts(child)) {
    const root = rootOf(atom);
    if (facts.resourceTypes.includes(root) && root !== type) continue;
    const presence = presenceOf(atom, origin);
    if (presence === undefined) branches.push(...branchesOf(atom, origin));
    else presences.push(presence);
  }
  return { branches, presences };
}

/** An expression that begins at an element of the resource, as those of a composite's components do. Throws OutsideSubset. */
export function compileWithin(
  expression: string,
  from: Branch,
  type: string,
  facts: ElementFacts,
): readonly Branch[] {
  const { child } = parseFhirPath(expression);
  return unionParts(child).flatMap((atom) => branchesOf(atom, { from, type, facts }));
}

const unionParts = (atom: Atom): readonly Atom[] =>
  atom instanceof UnionAtom ? [...unionParts(atom.left), ...unionParts(atom.right)] : [atom];

/** The leftmost name: the resource type, as a rule. */
function rootOf(atom: Atom): string {
  if (atom instanceof SymbolAtom) return atom.name;
  if (atom instanceof DotAtom || atom instanceof AsAtom || atom instanceof AndAtom) return rootOf(atom.left);
  if (atom instanceof IndexerAtom) return rootOf(atom.left);
  return '';
}

function branchesOf(atom: Atom, origin: Origin): readonly Branch[] {
  const { facts } = origin;
  if (atom instanceof SymbolAtom) return startingAt(atom.name, origin);
  if (atom instanceof AsAtom) return ofType(branchesOf(atom.left, origin), atom.right, facts);
  if (atom instanceof IndexerAtom) return firstOf(branchesOf(atom.left, origin), atom);
  if (!(atom instanceof DotAtom)) throw new OutsideSubset(`no path: ${atom.toString()}`);
  const from = branchesOf(atom.left, origin);
  if (atom.right instanceof SymbolAtom) return into(from, atom.right.name, facts);
  if (atom.right instanceof FunctionAtom) return applied(from, atom.right, facts);
  throw new OutsideSubset(`no step: ${atom.right.toString()}`);
}

function startingAt(name: string, { from, type, facts }: Origin): readonly Branch[] {
  if (name === '%resource') return [wholeResource(type)];
  const whole = from.steps.length === 0 && (name === type || roots.has(name));
  return whole ? [from] : into([from], name, facts);
}

const into = (from: readonly Branch[], name: string, facts: ElementFacts): readonly Branch[] =>
  from.flatMap((branch) =>
    facts.child(branch.path, name).map((value) => ({
      steps: [...branch.steps, { property: value.property }],
      type: value.type,
      path: value.path,
      many: branch.many || value.many,
      systems: value.systems,
    })),
  );

function firstOf(from: readonly Branch[], { expr }: IndexerAtom): readonly Branch[] {
  if (!(expr instanceof LiteralAtom) || expr.value.value !== 0) {
    throw new OutsideSubset('an element other than the first');
  }
  return from.map((branch) => changedLast(branch, { first: true }));
}

function applied(from: readonly Branch[], call: FunctionAtom, facts: ElementFacts): readonly Branch[] {
  const [argument] = call.args;
  if (call.name === 'ofType' || call.name === 'as') return ofType(from, argument, facts);
  if (call.name === 'where' && argument instanceof IsAtom) return pointingAt(from, argument);
  if (call.name === 'where' && argument instanceof EqualsAtom) return filtered(from, argument);
  if (call.name === 'extension') {
    const url = literalOf(argument);
    return into(from, 'extension', facts).map((branch) => withFilter(branch, ['url', url]));
  }
  throw new OutsideSubset(`no such function: ${call.name}`);
}

function ofType(from: readonly Branch[], argument: Atom | undefined, facts: ElementFacts): readonly Branch[] {
  const type = nameOf(argument);
  // The registry writes `ofType(DateTime)` for the primitive type.
  const primitive = `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
  return from.filter((branch) => facts.isKindOf(branch.type, type) || facts.isKindOf(branch.type, primitive));
}

function pointingAt(from: readonly Branch[], condition: IsAtom): readonly Branch[] {
  if (!(condition.left instanceof FunctionAtom) || condition.left.name !== 'resolve') {
    throw new OutsideSubset(`no condition: ${condition.toString()}`);
  }
  const pointsAt = nameOf(condition.right);
  return from.map((branch) => ({ ...branch, pointsAt }));
}

function filtered(from: readonly Branch[], condition: EqualsAtom): readonly Branch[] {
  const filter = [nameOf(condition.left), literalOf(condition.right)] as const;
  return from.map((branch) => withFilter(branch, filter));
}

const withFilter = (branch: Branch, where: readonly [string, string | boolean]): Branch =>
  changedLast(branch, { where });

function changedLast(branch: Branch, change: Partial<Step>): Branch {
  const last = branch.steps.at(-1);
  if (last === undefined) throw new OutsideSubset('a condition on the resource itself');
  return { ...branch, steps: [...branch.steps.slice(0, -1), { ...last, ...change }] };
}

function nameOf(atom: Atom | undefined): string {
  if (atom instanceof SymbolAtom) return atom.name;
  throw new OutsideSubset('a name was expected');
}

function literalOf(atom: Atom | undefined): string | boolean {
  const value: unknown = atom instanceof LiteralAtom ? atom.value.value : undefined;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  throw new OutsideSubset('a text or boolean was expected');
}

/** The properties behind `x` where the atom says `x.exists() and x != false`. */
function presenceOf(atom: Atom, origin: Origin): readonly string[] | undefined {
  if (!(atom instanceof AndAtom) || !(atom.right instanceof NotEqualsAtom)) return undefined;
  const { left, right } = atom;
  const exists =
    left instanceof DotAtom && left.right instanceof FunctionAtom && left.right.name === 'exists';
  if (!exists || literalOf(right.right) !== false) return undefined;
  if (left.left.toString() !== right.left.toString()) return undefined;
  return branchesOf(left.left, origin).map(onlyProperty);
}

function onlyProperty(branch: Branch): string {
  const [first, ...deeper] = branch.steps;
  if (first === undefined || deeper.length > 0) throw new OutsideSubset('exists() on an inner element');
  return first.property;
}
