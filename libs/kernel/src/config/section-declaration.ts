import type { FactoryProvider, InjectionToken, Provider, Type } from '@nestjs/common';
import { ConfigSource } from './config-source.js';
import type { ConfigClass } from './field-decorators.js';
import { shapeOf } from './fields.js';
import { resolveConfig } from './resolve-config.js';

/**
 * Says that some module of the app reads a section. The config module finds all of these before anything is opened,
 * so that every error of every section comes at once, and a section that nobody reads is an unknown key.
 */
export class SectionDeclaration {
  constructor(
    readonly section: string,
    readonly Config: ConfigClass,
    /** Values given in code, where they are known before DI runs; `undefined` when a factory gives them later. */
    readonly given: object | undefined,
  ) {}
}

/** The provider that carries a {@link SectionDeclaration}. */
export function declareSection(declaration: SectionDeclaration): Provider {
  return { provide: Symbol(`section ${declaration.section}`), useValue: declaration };
}

export interface ConfigProvidersOptions {
  /** Token of the values given in code: what Nest's `ConfigurableModuleBuilder` provides. */
  readonly optionsToken?: InjectionToken;
  /** The same values, where they are known before DI runs. */
  readonly given?: object;
  /** @default the class's `@ConfigSection` */
  readonly section?: string;
}

/**
 * Providers of a module's configuration: the class itself, injectable, read from its section, with what is given in code on top.
 * For modules that open no connection; {@link defineConcern} does the same for those that do.
 */
export function provideConfig<C extends object>(
  Config: ConfigClass<C>,
  options: ConfigProvidersOptions = {},
): Provider[] {
  const section = options.section ?? shapeOf(Config).section;
  if (!section) throw new TypeError(`${Config.name} has no @ConfigSection('<name>').`);
  const { optionsToken, given = optionsToken ? undefined : {} } = options;
  const provider: FactoryProvider<C> = {
    provide: Config as Type<C>,
    inject: [
      { token: ConfigSource, optional: true },
      ...(optionsToken ? [{ token: optionsToken, optional: true }] : []),
    ],
    useFactory: (source?: ConfigSource, values?: object) => resolveConfig({ section, Config, given: values }, source),
  };
  return [declareSection(new SectionDeclaration(section, Config, given)), provider];
}
