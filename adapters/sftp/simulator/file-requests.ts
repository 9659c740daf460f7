// The requests of SFTP, answered from the file system. https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
import { constants, existsSync, type Stats } from 'node:fs';
import { mkdir, open, readdir, rename, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2, { type Attributes, type FileEntry, type SFTPWrapper } from 'ssh2';

export interface FileRequestParts {
  /** Where a path of the client lies here. */
  readonly real: (path: string) => string;
  readonly onRequest: (name: string) => void;
  readonly breakOff: () => void;
}

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

type Opened = { readonly file: FileHandle } | { readonly entries: FileEntry[] };

export function answerFileRequests(sftp: SFTPWrapper, parts: FileRequestParts): void {
  const { real } = parts;
  const handles = new Map<number, Opened>();
  let lastHandle = 0;
  const handleOf = (opened: Opened): Buffer => {
    handles.set((lastHandle += 1), opened);
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(lastHandle);
    return handle;
  };
  const numberOf = (handle: Buffer): number => (handle.length === 4 ? handle.readUInt32BE() : 0);
  const fileOf = (handle: Buffer): FileHandle => {
    const found = handles.get(numberOf(handle));
    if (found === undefined || !('file' in found)) throw new Error('no such handle');
    return found.file;
  };
  /** Answers with the status of what the work throws. */
  const on = (name: string, id: number, work: () => Promise<void>): void => {
    try {
      parts.onRequest(name);
    } catch {
      parts.breakOff();
      return;
    }
    work().catch((error: unknown) => sftp.status(id, statusOf(error)));
  };
  const ok = (id: number): void => sftp.status(id, STATUS_CODE.OK);

  sftp.on('close', () => {
    for (const opened of handles.values()) if ('file' in opened) void opened.file.close();
  });
  sftp.on('OPEN', (id, path, flags) =>
    on('OPEN', id, async () => {
      const file = await open(real(path), flagsToString(flags) ?? constants.O_RDONLY);
      sftp.handle(id, handleOf({ file }));
    }),
  );
  sftp.on('READ', (id, handle, offset, length) =>
    on('READ', id, async () => {
      const { bytesRead, buffer } = await fileOf(handle).read(Buffer.alloc(length), 0, length, offset);
      if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, buffer.subarray(0, bytesRead));
    }),
  );
  sftp.on('WRITE', (id, handle, offset, data) =>
    on('WRITE', id, async () => {
      await fileOf(handle).write(data, 0, data.length, offset);
      ok(id);
    }),
  );
  sftp.on('CLOSE', (id, handle) =>
    on('CLOSE', id, async () => {
      const opened = handles.get(numberOf(handle));
      handles.delete(numberOf(handle));
      if (opened !== undefined && 'file' in opened) await opened.file.close();
      ok(id);
    }),
  );
  sftp.on('OPENDIR', (id, path) =>
    on('OPENDIR', id, async () => sftp.handle(id, handleOf({ entries: await entriesOf(real(path)) }))),
  );
  sftp.on('READDIR', (id, handle) =>
    on('READDIR', id, async () => {
      const opened = handles.get(numberOf(handle));
      const entries = opened !== undefined && 'entries' in opened ? opened.entries.splice(0, 100) : [];
      if (entries.length === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.name(id, entries);
    }),
  );
  for (const name of ['STAT', 'LSTAT'] as const) {
    sftp.on(name as 'STAT', (id, path) =>
      on(name, id, async () => sftp.attrs(id, attributesOf(await stat(real(path))))),
    );
  }
  sftp.on('REMOVE', (id, path) => on('REMOVE', id, () => unlink(real(path)).then(() => ok(id))));
  sftp.on('RMDIR', (id, path) => on('RMDIR', id, () => rmdir(real(path)).then(() => ok(id))));
  sftp.on('MKDIR', (id, path) => on('MKDIR', id, () => mkdir(real(path)).then(() => ok(id))));
  sftp.on('RENAME', (id, from, to) =>
    on('RENAME', id, async () => {
      // Version 3 of the protocol does not replace.
      if (existsSync(real(to))) throw new Error('it is there');
      await rename(real(from), real(to));
      ok(id);
    }),
  );
  sftp.on('REALPATH', (id, path) =>
    on('REALPATH', id, async () => {
      const filename = path === '.' ? '/' : path;
      sftp.name(id, [{ filename, longname: filename, attrs: {} as Attributes }]);
    }),
  );
}

async function entriesOf(folder: string): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for (const filename of await readdir(folder)) {
    const stats = await stat(join(folder, filename)).catch(() => undefined);
    if (stats !== undefined) entries.push({ filename, longname: filename, attrs: attributesOf(stats) });
  }
  return entries;
}

const attributesOf = ({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes => ({
  ...{ mode, uid, gid, size },
  atime: Math.trunc(atimeMs / 1000),
  mtime: Math.trunc(mtimeMs / 1000),
});

function statusOf(error: unknown): number {
  const { code } = error as { readonly code?: string };
  if (code === 'ENOENT') return STATUS_CODE.NO_SUCH_FILE;
  return code === 'EACCES' || code === 'EPERM' ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.FAILURE;
}
