// What a store's own test gives to the contract suites: a fresh store, and a way to open the same one again.
import type { Store } from '../../engine/storage/store.ts';

export interface OpenedStore {
  readonly store: Store;
  /** Closes the store and opens what it left. */
  reopen(): Promise<OpenedStore>;
  /** Closes the store and takes away what it left. */
  close(): Promise<void>;
}

export type OpenStore = () => Promise<OpenedStore>;

/** Runs a test with a fresh store, and clears it away whatever happens. */
export const withStore =
  (open: OpenStore, body: (store: Store) => Promise<void>) => async (): Promise<void> => {
    const opened = await open();
    try {
      await body(opened.store);
    } finally {
      await opened.close();
    }
  };
