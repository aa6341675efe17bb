import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  Optional,
} from '@nestjs/common';
import { ConfigModule as NestConfigModule, ConfigService } from '@nestjs/config';
import { ModulesContainer } from '@nestjs/core';
import {
  AppInfo,
  BareImportError,
  BootConfig,
  type ConfigClass,
  ConfigError,
  type ConfigRequest,
  ConfigSource,
  provideConfig,
  SecretStore,
} from '@core-infra/kernel';
import { AppConfig } from './app.config.js';
import { ConfiguredAppInfo } from './app-info.js';
import type { ConfigModuleOptions } from './config.options.js';
import { Configuration } from './configuration.js';
import { findDeclarations, findValues } from './declarations.js';
import { DuplicateConfigError } from './errors.js';
import { DevelopmentConfig } from './development.config.js';
import { ConfigReloader } from './live/config-reloader.js';
import { FailedConfigSource } from './live/failed.config-source.js';
import { LiveConfigSource } from './live/live.config-source.js';
import { ServiceTree } from './live/service-tree.js';
import { SourcesOnce } from './sources/sources-once.js';

/** Known before DI runs. */
export interface ConfigPlacement {
  /** Whether every module sees the configuration without importing it. @default true */
  isGlobal: boolean;
}

/** `{ imports, inject, useFactory }`, `{ useClass }`, `{ useExisting }` or nothing. */
export type ConfigModuleAsyncOptions = Partial<ConfigurableModuleAsyncOptions<ConfigModuleOptions, 'create'>> &
  Partial<ConfigPlacement>;

/** Carries the options where they are known without DI, for commands that instantiate nothing. */
export class GivenOptions {
  constructor(readonly options: ConfigModuleOptions | undefined) {}
}

const OPTIONS = Symbol('config options');
const bootConfig: FactoryProvider<BootConfig> = {
  provide: BootConfig,
  inject: [OPTIONS, SourcesOnce],
  useFactory: (options: ConfigModuleOptions, sources: SourcesOnce) => ({
    resolve<C extends object>({ section, Config, given }: ConfigRequest<C>): C {
      const { config, problems } = Configuration.withoutSecrets(sources.load(), options).read(
        section,
        Config,
        given ?? {},
      );
      if (problems.length > 0) throw new ConfigError(problems);
      return config;
    },
  }),
};

const configSource: FactoryProvider<ConfigSource> = {
  provide: ConfigSource,
  inject: [OPTIONS, SourcesOnce, ModulesContainer, ConfigService, { token: SecretStore, optional: true }],
  useFactory: async (
    options: ConfigModuleOptions,
    sources: SourcesOnce,
    modules: ModulesContainer,
    service: ConfigService,
    store?: SecretStore,
  ) => {
    try {
      const registrations = findValues(modules, GivenOptions).length;
      if (registrations > 1) throw new DuplicateConfigError(registrations);
      const declarations = findDeclarations(modules);
      const configuration = await Configuration.of(sources.load(), declarations, options, store ?? 'nobody');
      return new LiveConfigSource(configuration, declarations, new ServiceTree(service['internalConfig']));
    } catch (reason) {
      return new FailedConfigSource(reason); // AppConfig, a section of this very module, then fails the boot
    }
  },
};

const reloader: FactoryProvider = {
  provide: ConfigReloader,
  inject: [ConfigSource, ModulesContainer, OPTIONS, { token: SecretStore, optional: true }],
  useFactory: (source: ConfigSource, modules: ModulesContainer, options: ConfigModuleOptions, store?: SecretStore) => {
    if (!(source instanceof LiveConfigSource)) return source.resolve({ section: 'app', Config: AppConfig }); // fails with the reason
    return new ConfigReloader(source, findDeclarations(modules), options, store ?? 'nobody');
  },
};

const appInfo: FactoryProvider<AppInfo> = {
  provide: AppInfo,
  inject: [AppConfig, DevelopmentConfig],
  useFactory: (app: AppConfig, development: DevelopmentConfig) => new ConfiguredAppInfo(app, development),
};

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<ConfigModuleOptions>({
  optionsInjectionToken: OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<ConfigPlacement>({ isGlobal: true }, (definition, { isGlobal }) => {
    const options = definition.providers?.find(
      provider => typeof provider === 'object' && provider.provide === OPTIONS,
    );
    const given = new GivenOptions(
      options && 'useValue' in options ? (options.useValue as ConfigModuleOptions) : undefined,
    );
    return {
      ...definition,
      global: isGlobal,
      imports: [
        ...(definition.imports ?? []),
        NestConfigModule.forRoot({ ignoreEnvFile: true, ignoreEnvVars: true, isGlobal }),
      ],
      providers: [
        ...(definition.providers ?? []),
        { provide: GivenOptions, useValue: given },
        { provide: SourcesOnce, inject: [OPTIONS], useFactory: (given: ConfigModuleOptions) => new SourcesOnce(given) },
        bootConfig,
        configSource,
        reloader,
        ...provideConfig(AppConfig),
        ...provideConfig(DevelopmentConfig),
        appInfo,
      ],
      exports: [NestConfigModule, ConfigSource, BootConfig, ConfigReloader, AppConfig, DevelopmentConfig, AppInfo],
    };
  })
  .build();

/** Configuration of the whole app: files, environment, flags, code. Import it once, in the root module. */
@Module({})
export class ConfigModule extends ConfigurableModuleClass {
  /** @throws BareImportError when the class itself is imported, which would provide nothing */
  constructor(@Optional() @Inject(GivenOptions) given?: GivenOptions) {
    super();
    if (!given) throw new BareImportError(ConfigModule.name);
  }

  /** Finds everything by default: `config/default.yaml`, `config/<NODE_ENV>.yaml`, `.env`, the environment, flags. */
  static override forRoot(options: ConfigModuleOptions & Partial<ConfigPlacement> = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** The same with options from a factory or a class. */
  static override forRootAsync(options: ConfigModuleAsyncOptions = {}): DynamicModule {
    const from = options.useFactory ?? options.useClass ?? options.useExisting;
    if (from) return super.forRootAsync(options as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0]);
    return this.forRoot({ isGlobal: options.isGlobal ?? true });
  }

  /**
   * Sections of the app's own: classes with `@ConfigSection('<name>')`, validated with all others before anything opens, and injectable
   * in the importing module.
   */
  static forFeature(...Configs: [ConfigClass, ...ConfigClass[]]): DynamicModule {
    return {
      module: class ConfigFeatureModule {},
      providers: Configs.flatMap(Config => provideConfig(Config)),
      exports: Configs,
    };
  }
}
