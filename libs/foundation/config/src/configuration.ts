import {
  type Candidate,
  type ConfigClass,
  type ConfigProblem,
  describeProblem,
  type SectionDeclaration,
} from '@core-infra/kernel';
import { AppConfig } from './app.config.js';
import { appFallback, checkAppFacts } from './app-facts.js';
import type { ConfigModuleOptions } from './config.options.js';
import { groupBySection } from './declarations.js';
import { References, type SecretsBy } from './sections/references.js';
import { readSection, type SectionReading } from './sections/section-reader.js';
import { findUnknownKeys } from './sections/unknown-keys.js';
import { findMistypedVariables, findReservedVariables } from './sections/unknown-variables.js';
import type { Sources } from './sources/load-sources.js';

/** One declared section, read. */
export interface DeclaredReading {
  readonly section: string;
  readonly Config: ConfigClass;
  readonly reading: SectionReading<object>;
}

/** The sources of one moment, with their references followed: what sections are read from until the next reload. */
export class Configuration {
  private constructor(
    readonly sources: Sources,
    readonly references: References,
    private readonly options: ConfigModuleOptions,
  ) {}

  /** Follows the references of all declared sections; secrets are asked for now, so that reading is synchronous from here on. */
  static async of(
    sources: Sources,
    declarations: readonly SectionDeclaration[],
    options: ConfigModuleOptions,
    secretsBy: SecretsBy,
  ): Promise<Configuration> {
    const configuration = new Configuration(sources, new References(secretsBy), options);
    for (const { section, Config, given } of declarations) configuration.read(section, Config, given);
    await configuration.references.fetch();
    return configuration;
  }

  /** Without a secret store: for what must be read before there is one. */
  static withoutSecrets(sources: Sources, options: ConfigModuleOptions): Configuration {
    return new Configuration(sources, new References('boot'), options);
  }

  /** @param given values from code; `undefined` when a factory gives them later */
  read<C extends object>(section: string, Config: ConfigClass<C>, given: object | undefined): SectionReading<C> {
    const own: boolean = section === 'app' && (Config as ConfigClass) === AppConfig;
    const { environment } = this.options;
    return readSection(this.sources, this.references, {
      section,
      Config,
      given: own && environment !== undefined ? { environment, ...given } : given,
      fallback: own ? appFallback(this.sources, this.options) : ([] satisfies Candidate[]),
    });
  }

  /** Reads every declared section, and finds what nobody declared. Each problem and notice comes once. */
  inspect(declarations: readonly SectionDeclaration[]): {
    readings: DeclaredReading[];
    problems: ConfigProblem[];
    notices: string[];
  } {
    const { sources } = this;
    const declared = groupBySection(declarations);
    const readings = declarations.map(({ section, Config, given }) => {
      return { section, Config, reading: this.read(section, Config, given) };
    });
    const unknown = [
      ...sources.files.flatMap(file => findUnknownKeys(file, declared)),
      ...findUnknownKeys(sources.flags, declared, true),
    ];
    const strict = this.options.strict ?? true;
    const problems = [
      ...sources.problems,
      ...(strict ? unknown : []),
      ...findReservedVariables(sources.variables, declared),
      ...readings.flatMap(({ reading }) => reading.problems),
      ...checkAppFacts(sources, readings),
    ];
    const notices = [
      ...sources.notices,
      ...(strict ? [] : unknown.map(problem => describeProblem(problem))),
      ...findMistypedVariables(sources.variables, declared),
      ...readings.flatMap(({ reading }) => reading.notices),
    ];
    const unique = new Map(problems.map(problem => [describeProblem(problem), problem]));
    return { readings, problems: [...unique.values()], notices: [...new Set(notices)] };
  }
}
