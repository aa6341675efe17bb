import { Logger } from '@nestjs/common';
import {
  ConfigError,
  type ConfigClass,
  type ConfigProblem,
  type ConfigReload,
  configReloads,
  type ConfigRequest,
  ConfigSource,
  describeProblem,
  type SectionDeclaration,
} from '@core-infra/kernel';
import type { Configuration } from '../configuration.js';
import { Binding } from './binding.js';
import type { ServiceTree } from './service-tree.js';

type Listener = (changed: readonly string[]) => void;

/** Hands out sections as live views, and swaps the values of all of them in one step. */
export class LiveConfigSource extends ConfigSource {
  private readonly logger = new Logger('Config');
  private readonly bindings: Binding[] = [];
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly noticed = new Set<string>();

  /** @throws ConfigError with every problem of every declared section */
  constructor(
    private configuration: Configuration,
    private readonly declarations: readonly SectionDeclaration[],
    private readonly tree: ServiceTree,
  ) {
    super();
    const { readings, problems, notices } = configuration.inspect(declarations);
    if (problems.length > 0) throw new ConfigError(problems);
    this.notice(notices);
    for (const reading of readings) tree.showReading(reading);
    tree.showVariables(() => this.configuration.sources.variables);
  }

  /** The sources that are in force. */
  get current(): Configuration {
    return this.configuration;
  }

  override resolve<C extends object>({ section, Config, given }: ConfigRequest<C>): C {
    const reading = this.configuration.read(section, Config, given ?? {});
    if (reading.problems.length > 0) throw new ConfigError(reading.problems);
    this.notice(reading.notices);
    const binding = new Binding(section, Config, given ?? {}, reading.config);
    this.bindings.push(binding as unknown as Binding);
    this.tree.show(section, Config, binding.view);
    return binding.view;
  }

  override onChange(section: string, listener: Listener): () => void {
    const listeners = this.listeners.get(section) ?? new Set();
    this.listeners.set(section, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /**
   * Puts new sources in force: everything is validated first, then every section changes in one step; with a problem nothing changes.
   * @throws ConfigError
   */
  swap(next: Configuration): ConfigReload {
    const { problems, notices } = next.inspect(this.declarations);
    const readings = this.bindings.map(binding => ({
      binding,
      reading: next.read(binding.section, binding.Config as ConfigClass, binding.given),
    }));
    const found = [...problems, ...readings.flatMap(({ reading }) => reading.problems)];
    if (found.length > 0) throw new ConfigError(distinct(found));
    const changes = readings.map(({ binding, reading }) => ({
      section: binding.section,
      change: binding.prepare(reading.config),
    }));
    const broken = changes.flatMap(({ change }) => change.problems);
    if (broken.length > 0) throw new ConfigError(distinct(broken));

    for (const { change } of changes) change.commit();
    this.configuration = next;

    this.notice(notices);
    this.tree.showVariables(() => this.configuration.sources.variables);
    const keys = (list: 'applied' | 'restart') => [
      ...new Set(changes.flatMap(({ section, change }) => change[list].map(path => `${section}.${path}`))),
    ];
    const reload: ConfigReload = { applied: keys('applied'), restart: keys('restart') };
    this.tell(changes);
    configReloads.publish(reload);
    return reload;
  }

  /** Each section's listeners once, with all paths that changed; one that throws does not keep the news from the others. */
  private tell(changes: readonly { section: string; change: { applied: readonly string[] } }[]): void {
    for (const [section, listeners] of this.listeners) {
      const own = changes.filter(change => change.section === section).flatMap(({ change }) => change.applied);
      if (own.length === 0) continue;
      for (const listener of listeners) {
        try {
          listener([...new Set(own)]);
        } catch (error) {
          this.logger.error({ message: `A listener for changes of the section ${section} failed`, err: error });
        }
      }
    }
  }

  private notice(notices: readonly string[]): void {
    for (const notice of notices) {
      if (!this.noticed.has(notice)) this.logger.warn(notice);
      this.noticed.add(notice);
    }
  }
}

function distinct(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map(problem => [describeProblem(problem), problem])).values()];
}
