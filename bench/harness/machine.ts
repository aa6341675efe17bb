import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type as osType } from 'node:os';

/** Where and with what the numbers were made. Nothing in it names the machine. */
export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly packages: Readonly<Record<string, string>>;
  /** Runnable processes over the last minute, before the first round: what else ran there. */
  readonly loadBefore: number;
}

const measured = [
  '@nestjs/core',
  '@nestjs/platform-fastify',
  '@nestjs/config',
  '@nestjs/terminus',
  'fastify',
  'nestjs-cls',
  'nestjs-pino',
  'pino',
  'pino-http',
  'autocannon',
];

export function describeMachine(): Machine {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${osType()} ${release().split('-')[0]}`,
    node: process.versions.node,
    packages: Object.fromEntries(measured.map(name => [name, versionOf(name)])),
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
  };
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const edited = git('status', '--porcelain', '--', 'libs', 'bench') !== '';
    return git('rev-parse', '--short', 'HEAD') + (edited ? ' with uncommitted changes' : '');
  } catch {
    return 'unknown, not a Git checkout';
  }
}

function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}
