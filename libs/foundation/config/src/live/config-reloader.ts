import { realpathSync } from 'node:fs';
import path from 'node:path';
import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ConfigReload, configReloads, ConfigError, reasonOf, type SectionDeclaration } from '@core-infra/kernel';
import type { ConfigModuleOptions } from '../config.options.js';
import { Configuration } from '../configuration.js';
import type { SecretsBy } from '../sections/references.js';
import { loadSources, type Sources } from '../sources/load-sources.js';
import { FolderWatcher } from './file-watcher.js';
import type { LiveConfigSource } from './live.config-source.js';

/** Reads the sources again when their files change, or when it is told to. */
export class ConfigReloader implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Config');
  private readonly watcher?: FolderWatcher;
  /** Sources that were looked at last, whether they were good or not. */
  private seen: string;
  /** What files that are links lead to, by absolute path. */
  private targets: ReadonlySet<string> = new Set();
  private running: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(
    private readonly source: LiveConfigSource,
    private readonly declarations: readonly SectionDeclaration[],
    private readonly options: ConfigModuleOptions,
    private readonly secretsBy: SecretsBy,
  ) {
    this.seen = fingerprint(source.current);
    if (options.watch === false) return;
    this.watcher = new FolderWatcher(
      () => void this.reloadIfChanged(),
      (folder, error) => this.logger.warn(`Changes in ${folder} are not followed: ${reasonOf(error)}`),
      (folder, name) => this.matters(folder, name),
    );
  }

  /**
   * Reads all sources again, validates everything, and puts live fields in force in one step.
   * Secrets of `file://` and `secret://` are read again too. Resolves with what changed.
   * @throws ConfigError when anything is wrong; then every value stays as it was
   */
  reload(): Promise<ConfigReload> {
    const next = this.running.then(() => this.load(loadSources(this.options)));
    this.running = next.catch(() => undefined); // whoever asked gets the error; the queue goes on
    return next;
  }

  onApplicationBootstrap(): void {
    if (!this.watcher) return;
    this.follow();
    void this.reloadIfChanged(); // between the first reading and now
  }

  onApplicationShutdown(): void {
    this.watcher?.close();
  }

  private reloadIfChanged(): Promise<void> {
    const next = this.running.then(async () => {
      this.follow();
      const sources = loadSources(this.options);
      const found = fingerprint({ sources, references: this.source.current.references });
      if (found === this.seen) return;
      this.seen = found;
      await this.load(sources).catch((error: unknown) => {
        configReloads.publish({ applied: [], restart: [], error } satisfies ConfigReload);
        this.logger.error(`The configuration was not reloaded and every value stays as it was. ${reasonOf(error)}`);
      });
    });
    this.running = next;
    return next;
  }

  private async load(sources: Sources): Promise<ConfigReload> {
    const vanished = this.source.current.sources.paths.filter(file => !sources.paths.includes(file));
    if (vanished.length > 0) {
      throw new ConfigError(
        vanished.map(file => ({
          key: file,
          expected: 'the file that the values came from, until a restart',
          got: 'nothing',
        })),
      );
    }
    const next = await Configuration.of(sources, this.declarations, this.options, this.secretsBy);
    const reload = this.source.swap(next);
    this.seen = fingerprint(next);
    if (this.watcher) this.follow();
    this.report(reload);
    return reload;
  }

  private report({ applied, restart }: ConfigReload): void {
    if (applied.length > 0) this.logger.log({ message: `Configuration reloaded: ${applied.join(', ')}`, applied });
    if (restart.length > 0) {
      this.logger.warn({ message: `Changed, and in force after a restart: ${restart.join(', ')}`, restart });
    }
  }

  /** The folders of configuration files, those of files that values refer to, and for links those of what they lead to. */
  private follow(): void {
    const { sources, references } = this.source.current;
    const referred = [...references.paths].map(file => path.dirname(file));
    this.targets = new Set([...sources.paths, ...references.paths].flatMap(linkedFile));
    const led = [...this.targets].map(file => path.dirname(file));
    this.watcher?.watch([...new Set([...sources.folders, ...referred, ...led])]);
  }

  private matters(folder: string, name: string): boolean {
    const { sources, references } = this.source.current;
    const file = path.join(folder, name);
    return (
      /^\.env(\.|$)/.test(name) ||
      name.startsWith('..data') ||
      /\.(yaml|yml|json)$/.test(name) ||
      sources.folders.includes(file) ||
      references.paths.has(file) ||
      this.targets.has(file)
    );
  }
}

/** The file behind a link, links of its folder included; nothing where the file is no link or not there. */
function linkedFile(file: string): string[] {
  try {
    const target = realpathSync(file);
    return target === file ? [] : [target];
  } catch {
    return []; // what is wrong with the file is said when it is read
  }
}

/** Tells whether any file has other text than before, those that values refer to included. */
function fingerprint({ sources, references }: Pick<Configuration, 'sources' | 'references'>): string {
  return [sources.fingerprint, ...references.fingerprint()].join('\n\0\n');
}
