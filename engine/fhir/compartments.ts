// Compartments: which types of resources can be in them, and what puts one there. https://hl7.org/fhir/R4/compartmentdefinition.html
import { compartments, type Members } from './compartment-members.ts';

export type CompartmentType = keyof typeof compartments;

export const compartmentTypes = Object.keys(compartments) as readonly CompartmentType[];

/** One compartment: that of `Patient/123`. */
export interface Compartment {
  readonly type: CompartmentType;
  readonly id: string;
}

export const isCompartmentType = (name: string): name is CompartmentType => Object.hasOwn(compartments, name);

/** The types that can be in compartments of this type; its own first. */
export const memberTypes = (compartment: CompartmentType): readonly string[] => [
  compartment,
  ...Object.keys(compartments[compartment]).filter((type) => type !== compartment),
];

/**
 * Codes of the reference parameters, any of which puts a resource of this type into such a compartment; undefined when nothing does.
 * The resource that a compartment is named by is in it as well.
 */
export function membershipOf(compartment: CompartmentType, type: string): readonly string[] | undefined {
  const members: Members = compartments[compartment];
  if (Object.hasOwn(members, type)) return members[type]?.split(' ');
  return type === compartment ? [] : undefined;
}
