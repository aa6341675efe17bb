import { readFileSync, statSync } from 'node:fs';
import { SourceProblem } from './problems.js';

/** The largest file that is read. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** The two calls that reading a file takes. */
export interface FileAccess {
  stat(path: string): { isFile(): boolean; readonly size: number };
  read(path: string): Buffer;
}

export const diskAccess: FileAccess = { stat: path => statSync(path), read: path => readFileSync(path) };

/**
 * Reads a file of text that is known to exist.
 * @throws SourceProblem when it vanished, cannot be read, is too large, or is not text in UTF-8
 */
export function readTextFile(path: string, label: string, access: FileAccess = diskAccess): string {
  const bytes = readBytes(path, label, access);
  const text = decode(bytes, label);
  const nul = text.indexOf('\0');
  if (nul >= 0) throw new SourceProblem(`${label}:${lineAt(text, nul)}`, 'text without a NUL byte');
  return text;
}

function readBytes(path: string, label: string, access: FileAccess): Buffer {
  try {
    const { size, isFile } = statOf(path, label, access);
    if (!isFile) throw new SourceProblem(label, 'a regular file');
    const bytes = size > MAX_FILE_BYTES ? undefined : access.read(path);
    if (!bytes || bytes.length > MAX_FILE_BYTES) {
      throw new SourceProblem(
        label,
        'a file of at most 1 MiB',
        `${((bytes?.length ?? size) / 1024 ** 2).toFixed(1)} MiB`,
      );
    }
    return bytes;
  } catch (error) {
    if (error instanceof SourceProblem) throw error;
    throw new SourceProblem(label, 'a file that can be read', reasonOfFileError(error));
  }
}

function statOf(path: string, label: string, access: FileAccess): { size: number; isFile: boolean } {
  try {
    const stats = access.stat(path);
    return { size: stats.size, isFile: stats.isFile() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SourceProblem(label, 'a file that can be read', 'no such file');
  }
}

function decode(bytes: Buffer, label: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const lossy = bytes.toString('utf8');
    throw new SourceProblem(`${label}:${lineAt(lossy, lossy.indexOf('\uFFFD'))}`, 'text in UTF-8', 'other bytes');
  }
}

/** The line, from 1, of a position in a text. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, Math.max(0, position)).split('\n').length;
}

/** What the operating system said, in a few words. */
export function reasonOfFileError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'a file that vanished while it was read';
  if (code === 'EACCES' || code === 'EPERM') return `no permission to read it (${code})`;
  return code ?? String(error);
}
