// All FHIR interactions that are offered, one row each; the order is the order in which paths are tried.
import { capabilitiesInteraction } from './capabilities.ts';
import { createInteraction } from './create.ts';
import { conditionalDeleteInteraction, deleteInteraction } from './delete.ts';
import { historyInstanceInteraction } from './history-instance.ts';
import type { Interaction } from './interaction.ts';
import { conditionalPatchInteraction, patchInteraction } from './patch.ts';
import { readInteraction } from './read.ts';
import { postedSearchInteraction, searchTypeInteraction } from './search-type.ts';
import { smartConfigurationInteraction } from './smart-configuration.ts';
import { transactionInteraction } from './transaction.ts';
import { conditionalUpdateInteraction, updateInteraction } from './update.ts';
import { vreadInteraction } from './vread.ts';

const offered: readonly Interaction[] = [
  smartConfigurationInteraction,
  readInteraction,
  postedSearchInteraction,
  updateInteraction,
  patchInteraction,
  deleteInteraction,
  vreadInteraction,
  historyInstanceInteraction,
  transactionInteraction,
  searchTypeInteraction,
  createInteraction,
  conditionalUpdateInteraction,
  conditionalPatchInteraction,
  conditionalDeleteInteraction,
];

export const interactions: readonly Interaction[] = [capabilitiesInteraction(offered), ...offered];
