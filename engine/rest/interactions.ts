// All FHIR interactions that are offered, one row each.
import { asyncCancelInteraction, asyncStatusInteraction } from './async/status.ts';
import { capabilitiesInteraction } from './capabilities.ts';
import { createInteraction } from './create.ts';
import { conditionalDeleteInteraction, deleteInteraction } from './delete.ts';
import { historyInstanceInteraction, historySystemInteraction, historyTypeInteraction } from './history.ts';
import { expungeInteractions } from './operations/expunge.ts';
import { metaInteractions } from './operations/meta.ts';
import type { Interaction } from './interaction.ts';
import { everythingInteractions } from './operations/everything.ts';
import { lastnInteractions } from './operations/lastn.ts';
import { reindexInteractions } from './operations/reindex.ts';
import { conditionalPatchInteraction, patchInteraction } from './patch.ts';
import { readInteraction } from './read.ts';
import { searchTypeInteractions } from './search-type.ts';
import { compartmentInteractions, searchSystemInteractions } from './search-system.ts';
import { smartConfigurationInteraction } from './smart-configuration.ts';
import { transactionInteraction } from './transaction.ts';
import { conditionalUpdateInteraction, updateInteraction } from './update.ts';
import { vreadInteraction } from './vread.ts';

const offered: readonly Interaction[] = [
  smartConfigurationInteraction,
  asyncStatusInteraction,
  asyncCancelInteraction,
  historySystemInteraction,
  historyTypeInteraction,
  ...metaInteractions,
  ...expungeInteractions,
  ...everythingInteractions,
  ...lastnInteractions,
  ...reindexInteractions,
  readInteraction,
  ...searchTypeInteractions,
  updateInteraction,
  patchInteraction,
  deleteInteraction,
  vreadInteraction,
  historyInstanceInteraction,
  ...compartmentInteractions,
  transactionInteraction(() => interactions),
  ...searchSystemInteractions,
  createInteraction,
  conditionalUpdateInteraction,
  conditionalPatchInteraction,
  conditionalDeleteInteraction,
];

export const interactions: readonly Interaction[] = [capabilitiesInteraction(offered), ...offered];
