import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ConfigProblem } from '@core-infra/kernel';
import type { ConfigModuleOptions } from '../config.options.js';
import { findConfigFiles } from './config-files.js';
import { parseTree } from './document.js';
import { type DotenvFile, type EnvVariables, mergeEnvironment, parseDotenv } from './env.variables.js';
import { environmentSpellings, type KnownEnvironment, pickEnvironment } from './environment.js';
import { readFlags } from './flags.js';
import { type PackageInfo, readPackageInfo } from './package-info.js';
import { SourceProblem } from './problems.js';
import { readTextFile } from './text-file.js';
import type { TreeNode } from './tree.js';

/** All sources as they are at one moment, before anybody's section is read from them. */
export interface Sources {
  readonly environment: KnownEnvironment;
  /** Configuration files, lowest precedence first. */
  readonly files: readonly TreeNode[];
  readonly variables: EnvVariables;
  readonly flags: TreeNode;
  readonly packageInfo?: PackageInfo;
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly string[];
  /** Absolute paths of the files that were read. */
  readonly paths: readonly string[];
  /** Absolute paths of the folders whose changes may change the sources. */
  readonly folders: readonly string[];
  /** Text of every file, to tell whether anything changed. */
  readonly fingerprint: string;
}

/** Reads every source. Nothing is thrown: what is wrong with files is among the problems. */
export function loadSources(options: ConfigModuleOptions = {}): Sources {
  const root = path.resolve(options.root ?? process.cwd());
  const env = options.env ?? process.env;
  const label = (file: string) =>
    path.relative(root, file).startsWith('..') ? file : path.relative(root, file) || '.';
  const flags = readFlags(options.argv ?? process.argv.slice(2));
  const problems: SourceProblem[] = [...flags.problems];
  const texts: string[] = [];
  const paths: string[] = [];

  const read = <T>(file: string, parse: (text: string, label: string) => T): T[] => {
    try {
      paths.push(file);
      const text = readTextFile(file, label(file));
      texts.push(`${file}\n${text}`);
      return [parse(text, label(file))];
    } catch (error) {
      if (!(error instanceof SourceProblem)) throw error;
      problems.push(error);
      texts.push(`${file}\n${error.message}`);
      return [];
    }
  };
  const readDotenv = (names: readonly string[]): DotenvFile[] =>
    options.dotenv === false
      ? []
      : names
          .map(name => path.join(root, name))
          .filter(file => existsSync(file))
          .flatMap(file => read(file, parseDotenv));

  const shared = readDotenv(['.env']);
  const environment = pickEnvironment(options.environment, flags.root, mergeEnvironment(shared, env));
  const dotenvs = [...shared, ...readDotenv(environmentSpellings(environment).map(name => `.env.${name}`))];

  const directory = flags.directory ?? env.CONFIG_DIR ?? options.directory;
  const found = findConfigFiles(
    {
      directory: path.resolve(root, directory ?? 'config'),
      required: directory !== undefined,
      folders: [...(options.app === undefined ? [] : [options.app]), ...(options.folders ?? [])],
      environment,
    },
    label,
  );
  const files = found.files.flatMap(file => read(file, parseTree));
  const packageInfo = readPackageInfo(root, options.app);
  return {
    environment,
    files,
    variables: mergeEnvironment(dotenvs, env),
    flags: flags.root,
    packageInfo: packageInfo && { ...packageInfo, file: label(packageInfo.file) },
    problems: [...problems, ...found.problems].map(problem => problem.toConfigProblem()),
    notices: found.notices,
    paths,
    folders: [...new Set([root, path.dirname(found.folders[0]!), ...found.folders])],
    fingerprint: texts.join('\n\0\n'),
  };
}
