import { ConfigModule, type ConfigModuleOptions } from '@core-infra/config';
import { ContextModule } from '@core-infra/context';
import { HealthModule } from '@core-infra/health';
import {
  BareImportError,
  type BehaviourAsyncOptions,
  type BehaviourModuleClass,
  type ConfigClass,
  ConfigError,
  provideConfig,
  staticOptions,
  unknownKey,
} from '@core-infra/kernel';
import { LoggerModule } from '@core-infra/logger';
import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  Inject,
  Module,
  Optional,
  type Provider,
  type Type,
} from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { NotAConcernError } from './errors.js';
import { ServerConfig } from './server.config.js';
import { ShutdownConfig } from './shutdown/shutdown.config.js';

/** A concern: a module class with `forRootAsync`, registered from its section of the configuration, or what its `forRoot…` returned. */
export type ConcernImport = (Type & { forRootAsync(): DynamicModule }) | DynamicModule | Promise<DynamicModule>;

type OptionsOf<M> = M extends { forRoot(options?: infer Options): DynamicModule } ? NonNullable<Options> : never;

/** Values given in code for the foundation; each wins over every other source of its section. */
export interface CoreInfraOptions {
  /** Section `context`. */
  context?: OptionsOf<typeof ContextModule>;
  /** Section `logging`. */
  logging?: OptionsOf<typeof LoggerModule>;
  /** Section `health`. */
  health?: OptionsOf<typeof HealthModule>;
  /** Section `http`: port, host. */
  http?: Partial<ServerConfig>;
  /** Section `shutdown`. */
  shutdown?: Partial<ShutdownConfig>;
}

/** What is known before DI runs. */
export interface CoreInfraPlacement {
  /** The concerns to wire. @default none */
  concerns: readonly ConcernImport[];
  /** Where the configuration is read from: directory, environment, flags. */
  config: ConfigModuleOptions;
}

export type CoreInfraAsyncOptions = Partial<ConfigurableModuleAsyncOptions<CoreInfraOptions, 'create'>> &
  Partial<CoreInfraPlacement>;

const OPTIONS = Symbol('core-infra options');
const optionKeys: readonly string[] = [
  'context',
  'logging',
  'health',
  'http',
  'shutdown',
] satisfies (keyof CoreInfraOptions)[];

function wire(concern: ConcernImport): DynamicModule | Promise<DynamicModule> {
  if (concern instanceof Promise || (typeof concern === 'object' && concern !== null && 'module' in concern))
    return concern;
  if (typeof concern === 'function' && typeof concern.forRootAsync === 'function') return concern.forRootAsync();
  throw new NotAConcernError(typeof concern === 'function' ? `the class ${(concern as Type).name}` : String(concern));
}

/** Hands a foundation module its part of the options: at once where they are known, else when the factory has made them. */
function foundation<K extends 'context' | 'logging' | 'health'>(
  key: K,
  module: BehaviourModuleClass<NonNullable<CoreInfraOptions[K]>>,
  given: CoreInfraOptions | undefined,
): DynamicModule {
  type Part = NonNullable<CoreInfraOptions[K]>;
  const partOf = (options: CoreInfraOptions) => (options[key] ?? {}) as Part;
  return given
    ? module.forRoot(partOf(given))
    : module.forRootAsync({ inject: [OPTIONS], useFactory: partOf } as BehaviourAsyncOptions<Part>);
}

/** The same for a section that core itself reads. */
function section(key: 'http' | 'shutdown', Config: ConfigClass, given: CoreInfraOptions | undefined): Provider[] {
  const optionsToken = Symbol(`core-infra ${key} options`);
  return [
    { provide: optionsToken, inject: [OPTIONS], useFactory: (options: CoreInfraOptions) => options[key] ?? {} },
    ...provideConfig(Config, { optionsToken, given: given && (given[key] ?? {}) }),
  ];
}

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<CoreInfraOptions>({ optionsInjectionToken: OPTIONS })
  .setClassMethodName('forRoot')
  .setExtras<CoreInfraPlacement>({ concerns: [], config: {} }, (definition, { concerns, config }) => {
    const given = staticOptions<CoreInfraOptions>(definition.providers, OPTIONS);
    return {
      ...definition,
      global: true,
      imports: [
        ...(definition.imports ?? []),
        ConfigModule.forRoot(config),
        foundation('context', ContextModule, given),
        foundation('logging', LoggerModule, given),
        foundation('health', HealthModule, given),
        DiscoveryModule,
        ...concerns.map(wire),
      ],
      providers: [
        ...(definition.providers ?? []),
        ...section('http', ServerConfig, given),
        ...section('shutdown', ShutdownConfig, given),
      ],
      exports: [OPTIONS, ServerConfig, ShutdownConfig],
    };
  })
  .build();

/**
 * Configuration, context, logging, health and lifecycle, and the concerns it is handed, wired.
 *
 * ```ts no-check
 * CoreInfraModule.forRootAsync({ concerns: [DatabaseModule, RedisModule] })
 * ```
 */
@Module({})
export class CoreInfraModule extends ConfigurableModuleClass {
  /**
   * @throws BareImportError when the class itself is imported, which would bring nothing
   * @throws ConfigError when the options have a key that is none
   */
  constructor(@Optional() @Inject(OPTIONS) options?: CoreInfraOptions) {
    super();
    if (!options) throw new BareImportError(CoreInfraModule.name);
    const unknown = Object.keys(options).filter(key => !optionKeys.includes(key));
    if (unknown.length > 0)
      throw new ConfigError(unknown.map(key => unknownKey(CoreInfraModule.name, key, optionKeys, 'code')));
  }

  static override forRoot(options: CoreInfraOptions & Partial<CoreInfraPlacement> = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** With a factory or a class for the options; with nothing, everything comes from the configuration. */
  static override forRootAsync(options: CoreInfraAsyncOptions = {}): DynamicModule {
    const from = options.useFactory ?? options.useClass ?? options.useExisting;
    if (from) return super.forRootAsync(options as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]);
    const registered = this.forRoot({ concerns: options.concerns ?? [], config: options.config ?? {} });
    return { ...registered, imports: [...(options.imports ?? []), ...(registered.imports ?? [])] };
  }
}
