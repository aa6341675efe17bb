import {
  ConfigurableModuleBuilder,
  type ConfigurableModuleCls,
  type ConfigurableModuleAsyncOptions,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  type InjectionToken,
  Logger,
  Optional,
  type Provider,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AppState } from '../app-state.js';
import type { ConnectionConfig } from '../config/connection-config.js';
import { ConfigSource } from '../config/config-source.js';
import { type ConfigInput, resolveConfig } from '../config/resolve-config.js';
import { declareSection, SectionDeclaration } from '../config/section-declaration.js';
import { Connections } from '../connections/connections.js';
import { BareImportError, MissingConnectionError, MissingUpstreamError, UnknownDriverError } from '../errors/errors.js';
import { KernelModule } from '../kernel.module.js';
import { AppInfo } from '../ports/app-info.js';
import { Clock } from '../ports/clock.js';
import { Policies } from '../ports/policies.js';
import { RequestContext } from '../ports/request-context.js';
import { operationsOf } from '../ports/telemetry.js';
import type { Concern, Driver, DriverSite } from './concern.js';
import {
  connectionId,
  connectionSection,
  connectionToken,
  FeatureBinding,
  placed,
  type Placement,
  Registered,
} from './placement.js';
import { staticOptions } from './static-options.js';
import { CONCERN, importersOf } from './wiring.js';

/** `{ imports, inject, useFactory }`, `{ useClass }`, `{ useExisting }` or nothing, and the placement. */
export type ConcernAsyncOptions<Input> = Partial<ConfigurableModuleAsyncOptions<Input, 'create'>> & Partial<Placement>;

/** The statics that a concern's module inherits. */
export interface ConcernModuleClass<Input> {
  new (registered?: Registered): object;
  /** Registers a connection with values given in code, on top of its section of the configuration. */
  forRoot(options?: Input & Partial<Placement>): DynamicModule;
  /** The same with values from a factory or a class; with nothing, from the section alone. */
  forRootAsync(options?: ConcernAsyncOptions<Input>): DynamicModule;
  /** Re-binds the plain type to a named connection, inside the importing module only. */
  forFeature(name: string): DynamicModule;
}

/** What {@link defineConcern} returns. */
export interface DefinedConcern<Config extends ConnectionConfig, Client> {
  /** To be extended by the concern's own module class, decorated `@Module({})`. */
  readonly ConcernModule: ConcernModuleClass<ConfigInput<Config>>;
  /** The DI token of a connection: the port for the default one. */
  readonly token: (name?: string) => InjectionToken<Client>;
  /** Injects a connection by name. */
  readonly Inject: (name?: string) => PropertyDecorator & ParameterDecorator;
}

/** Makes a Nest module of a concern: tokens, registration, configuration, health, shutdown order and tracing come with it. */
export function defineConcern<Config extends ConnectionConfig, Client>(
  concern: Concern<Config, Client>,
): DefinedConcern<Config, Client> {
  type Input = ConfigInput<Config>;
  const section = concern.section ?? concern.name;
  const optionsToken = Symbol(`${concern.name} options`);
  const registeredToken = Symbol(`${concern.name} registered`);
  const token = (name = 'default') =>
    (name === 'default' ? concern.port : connectionToken(concern.name, name)) as InjectionToken<Client>;
  const upstreams = [...new Set(Object.values<string | undefined>(concern.upstreams ?? {}))].filter(
    name => name !== undefined,
  );

  const connectionProvider = (registered: Registered): FactoryProvider => ({
    provide: connectionToken(concern.name, registered.placement.name),
    inject: [
      Connections,
      AppState,
      ModulesContainer,
      optionsToken,
      { token: ConfigSource, optional: true },
      { token: RequestContext, optional: true },
      { token: Policies, optional: true },
      { token: Clock, optional: true },
      { token: AppInfo, optional: true },
      ...upstreams.map(upstream => ({ token: connectionToken(upstream, registered.placement.on), optional: true })),
    ],
    useFactory: (
      connections: Connections,
      state: AppState,
      modules: ModulesContainer,
      given: Input,
      source?: ConfigSource,
      context?: RequestContext,
      policies?: Policies,
      clock?: Clock,
      app?: AppInfo,
      ...found: unknown[]
    ) => {
      const { id, placement } = registered;
      const from = connectionSection(section, placement.name);
      const config = resolveConfig({ section: from, Config: concern.config, given }, source);
      const driver = concern.drivers[config.driver as Config['driver']] as Driver<Config, Client> | undefined;
      const dependsOn = new Set<string>();
      const site: DriverSite = {
        id,
        name: placement.name,
        state,
        modules,
        logger: new Logger(id),
        context: context ?? RequestContext.none,
        policies: policies ?? Policies.none,
        clock: clock ?? Clock.system,
        app: app ?? AppInfo.unknown,
        operations: operationsOf(concern.name, state),
        classify: error => connections.classify(error),
        onConfigChange: listener => void source?.onChange(from, listener),
        upstream: <Upstream>() => {
          const name = (concern.upstreams as Record<string, string | undefined> | undefined)?.[config.driver] ?? 'none';
          const client = found[upstreams.indexOf(name)];
          if (client === undefined) throw new MissingUpstreamError(id, config.driver, connectionId(name, placement.on));
          dependsOn.add(connectionId(name, placement.on));
          return client as Upstream;
        },
      };
      return connections.open({
        id,
        section: from,
        config,
        dependsOn,
        sameAs: placement.on,
        healthName:
          config.healthName ?? connectionId(concern.healthName ?? concern.name, placement.name).replace(':', '-'),
        closeLast: concern.closeLast,
        classify: concern.classify,
        importers: () => importersOf(modules, registered),
        open: () => {
          if (!driver) throw new UnknownDriverError(id, config.driver, Object.keys(concern.drivers));
          return driver(config, site);
        },
      });
    },
  });

  const bindPorts = (name: string): Provider[] => [
    {
      provide: concern.port as InjectionToken,
      inject: [{ token: connectionToken(concern.name, name), optional: true }, Connections],
      useFactory: (client: Client | undefined, connections: Connections) => {
        if (client === undefined) throw new MissingConnectionError(connectionId(concern.name, name), connections.ids());
        return client;
      },
    },
    ...(concern.also ?? []).map(({ token: also, from }): Provider => ({
      provide: also,
      inject: [concern.port as InjectionToken],
      useFactory: (client: Client) => from(client),
    })),
  ];

  const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<Input>({ optionsInjectionToken: optionsToken })
    .setClassMethodName('forRoot')
    .setExtras<Partial<Placement>>({ name: 'default', on: 'default', isGlobal: true }, (definition, extras) => {
      const placement = placed(extras);
      const registered = new Registered(connectionId(concern.name, placement.name), placement);
      const given = staticOptions(definition.providers, optionsToken);
      const declaration = new SectionDeclaration(connectionSection(section, placement.name), concern.config, given);
      const provided = [connectionProvider(registered), ...(placement.name === 'default' ? bindPorts('default') : [])];
      return {
        ...definition,
        global: placement.isGlobal,
        imports: [...(definition.imports ?? []), KernelModule],
        providers: [
          ...(definition.providers ?? []),
          { provide: registeredToken, useValue: registered },
          declareSection(declaration),
          ...provided,
        ],
        exports: provided.map(provider => (provider as { provide: InjectionToken }).provide),
      };
    })
    .build();
  const Base = ConfigurableModuleClass as ConfigurableModuleCls<Input, 'forRoot', 'create', Partial<Placement>>;

  class ConcernModule extends Base {
    static readonly [CONCERN] = concern.name;

    constructor(@Optional() @Inject(registeredToken) registered?: Registered) {
      super();
      if (!registered) throw new BareImportError(new.target.name);
    }

    static override forRoot(options: Input & Partial<Placement> = {} as Input): DynamicModule {
      return super.forRoot(options);
    }

    static override forRootAsync(options: ConcernAsyncOptions<Input> = {}): DynamicModule {
      const from = options.useFactory ?? options.useClass ?? options.useExisting;
      if (from) return super.forRootAsync(options as Parameters<typeof Base.forRootAsync>[0]);
      const registered = this.forRoot(placed(options) as Input & Partial<Placement>);
      return { ...registered, imports: [...(options.imports ?? []), ...(registered.imports ?? [])] };
    }

    static forFeature(name: string): DynamicModule {
      const binding = new FeatureBinding(concern.port.name, name);
      const ports = bindPorts(name);
      return {
        module: class ConcernFeatureModule {},
        imports: [KernelModule],
        providers: [{ provide: Symbol('feature'), useValue: binding }, ...ports],
        exports: ports.map(provider => (provider as { provide: InjectionToken }).provide),
      };
    }
  }

  return {
    ConcernModule: ConcernModule as unknown as ConcernModuleClass<Input>,
    token,
    Inject: name => Inject(token(name)),
  };
}
