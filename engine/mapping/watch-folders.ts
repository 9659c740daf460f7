// Tells when anything in some folders has changed. Directories are watched, not files: a watcher of a file goes on watching the old one when
// an editor puts a new one in its place.
import { readdirSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

export interface WatchOptions {
  /** How long there must have been no change before `changed` is called. */
  readonly quietMs: number;
  /** Called one time after the other, never twice at once. Must not reject. */
  readonly changed: () => Promise<void>;
  /** They are no longer watched: a folder is gone, or the system has no watches left. */
  readonly failed: (error: unknown) => void;
}

/** Returns what ends it. */
export function watchFolders(folders: readonly string[], options: WatchOptions): () => void {
  const watching = new FoldersWatch(folders, options);
  watching.begin();
  return () => watching.end();
}

class FoldersWatch {
  readonly #folders: readonly string[];
  readonly #options: WatchOptions;
  #watchers: readonly FSWatcher[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #running: Promise<void> = Promise.resolve();

  constructor(folders: readonly string[], options: WatchOptions) {
    this.#folders = folders;
    this.#options = options;
  }

  /** Watches each directory that there is now; the watchers of before go when the new ones stand. */
  begin(): void {
    const before = this.#watchers;
    const opened: FSWatcher[] = [];
    this.#watchers = opened;
    try {
      for (const directory of this.#folders.flatMap(directoriesIn)) opened.push(this.#watch(directory));
    } catch (error) {
      this.#options.failed(error);
    }
    for (const watcher of before) watcher.close();
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
  }

  #watch(directory: string): FSWatcher {
    const watcher = watch(directory, () => this.#wait());
    watcher.on('error', (error) => this.#options.failed(error));
    return watcher;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#ended) return;
      // There may be new directories, and they may hold files already: what is read next is read after they are watched.
      this.begin();
      this.#running = this.#running.then(() => this.#options.changed());
    }, this.#options.quietMs);
  }
}

function directoriesIn(folder: string): readonly string[] {
  const inside = readdirSync(folder, { recursive: true, withFileTypes: true });
  const directories = inside.filter((entry) => entry.isDirectory());
  return [folder, ...directories.map(({ parentPath, name }) => join(parentPath, name))];
}
