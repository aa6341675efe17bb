import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Line = Record<string, any>;

/** A folder for the log files of each spec of the block, removed after it. */
export function useLogFolder() {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'logs-'));
  });
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map(close => close()));
    rmSync(path, { recursive: true, force: true });
  });
  const folder = {
    /** Closes something at the end of the spec, before its files go. */
    closing: <T extends { close(): Promise<unknown> }>(open: T): T => {
      closers.push(() => open.close());
      return open;
    },
    file: (name = 'app.log') => join(path, name),
    text: (name = 'app.log') => readFileSync(join(path, name), 'utf8'),
    lines: (name = 'app.log'): Line[] =>
      folder
        .text(name)
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as Line),
  };
  return folder;
}
