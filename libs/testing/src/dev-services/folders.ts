import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UnsafeFolderError } from '../errors.js';
import type { UnixUser } from './service.definition.js';

/** What is named so in the {@link baseFolder} is no server's and stays between runs. */
export const KEPT_PREFIX = 'kept-';

/** For data that stay, of projects whose own folder the server may not enter. */
const OUTSIDE = '/var/tmp';
const PROJECT_FILE = 'project';

/**
 * The folder of this user under the system's temporary folder; every throwaway server has a folder of its own in it.
 * Others may pass through it (a server that is started by root runs as somebody else) but neither list nor write it.
 *
 * @throws {@link UnsafeFolderError} when somebody else has put something there.
 */
export function baseFolder(parent: string = tmpdir()): string {
  const folder = join(parent, baseName());
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (process.getuid && found.uid !== process.getuid())) throw new UnsafeFolderError(folder);
  if (process.platform !== 'win32') chmodSync(folder, 0o711);
  return folder;
}

/** A new folder that nobody else uses. */
export function privateFolder(service: string): string {
  const folder = mkdtempSync(join(baseFolder(), `${service}-`));
  chmodSync(folder, 0o711);
  return folder;
}

/** The folder that everyone who says the same `run` shares. */
export function sharedFolder(service: string, run: string): string {
  const folder = join(baseFolder(), `${service}-run-${run}`);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

/**
 * Where a service keeps its data between runs: `<project>/.dev-services/<service>`; or, when the server runs as `user` and
 * that user may not enter the project's folder (root's home), a folder of the project under /var/tmp.
 */
export function projectFolder(service: string, project: string, user?: UnixUser): string {
  const inProject = join(resolve(project), '.dev-services', service);
  const name = `${service}-project-${digest(resolve(project))}`;
  const isEnterable = user === undefined || canEnter(resolve(project), user);
  const folder = isEnterable ? inProject : join(baseFolder(OUTSIDE), name);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  if (!isEnterable) writeFileSync(join(folder, PROJECT_FILE), resolve(project));
  return folder;
}

/** The data folders outside of their projects, each with the project that it belongs to. */
export function projectsOutside(): { folder: string; project: string }[] {
  if (!existsSync(join(OUTSIDE, baseName()))) return [];
  const base = baseFolder(OUTSIDE);
  return readdirSync(base)
    .map(name => join(base, name))
    .filter(folder => existsSync(join(folder, PROJECT_FILE)))
    .map(folder => ({ folder, project: readFileSync(join(folder, PROJECT_FILE), 'utf8') }));
}

/** Whether `user` may pass through `folder` and everything above it. */
export function canEnter(folder: string, user: UnixUser): boolean {
  return mayPass(realpathSync(folder), user);
}

function mayPass(folder: string, user: UnixUser): boolean {
  const { mode, uid, gid } = statSync(folder);
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & bit) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || mayPass(parent, user);
}

/** The address of the guard's socket: short, because a socket's path may have 103 characters only. */
export function socketPath(folder: string): string {
  const name = `${digest(folder)}-${randomBytes(4).toString('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\core-infra-${name}` : join(baseFolder(), `${name}.sock`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function baseName(): string {
  return `core-infra-${process.getuid ? process.getuid() : userInfo().username}`;
}
