// All FHIR interactions that are offered, one row each; the order is the order in which paths are tried.
import { capabilitiesInteraction } from './capabilities.ts';
import { createInteraction } from './create.ts';
import { conditionalDeleteInteraction, deleteInteraction } from './delete.ts';
import { expungeInteractions } from './operations/expunge.ts';
import { metaInteractions } from './operations/meta.ts';
import { historyInstanceInteraction } from './history-instance.ts';
import type { Interaction } from './interaction.ts';
import { readInteraction } from './read.ts';
import { postedSearchInteraction, searchTypeInteraction } from './search-type.ts';
import { smartConfigurationInteraction } from './smart-configuration.ts';
import { transactionInteraction } from './transaction.ts';
import { conditionalUpdateInteraction, updateInteraction } from './update.ts';
import { vreadInteraction } from './vread.ts';

const offered: readonly Interaction[] = [
  smartConfigurationInteraction,
  ...metaInteractions,
  ...expungeInteractions,
  readInteraction,
  postedSearchInteraction,
  updateInteraction,
  deleteInteraction,
  vreadInteraction,
  historyInstanceInteraction,
  transactionInteraction,
  searchTypeInteraction,
  createInteraction,
  conditionalUpdateInteraction,
  conditionalDeleteInteraction,
];

export const interactions: readonly Interaction[] = [capabilitiesInteraction(offered), ...offered];
