import type { CheckResult, DriverSite, Opened } from '@core-infra/kernel';
import { reasonOf } from '@core-infra/kernel';
import { FlagEngine } from '../evaluation/flag-engine.js';
import type { OpenText } from '../evaluation/places.js';
import { documentOf } from '../evaluation/settings.js';
import { parseFlagDocument } from '../evaluation/validate.js';
import type { FeatureFlags } from '../feature-flags.js';
import type { FeatureFlagsConfig } from '../feature-flags.config.js';
import type { FlagDocument } from '../flag-document.js';
import type { FlagSnapshot, FlagStore } from '../flag-store.js';
import { registerProvider } from '../openfeature/register-provider.js';
import { rememberStore } from '../stores/store-of.js';

/** A store that is a driver's own. */
export interface DrivenStore extends FlagStore {
  /** What it adds to the check. */
  check?(): CheckResult;
  close?(): Promise<void>;
}

export interface FlagSourceOptions {
  /** For health: the file's path, `Redis`. */
  readonly address: string;
  /** For errors: `the file config/flags.json`, `Redis`. */
  readonly source: string;
  /** How the store's texts are read. @default as JSON */
  readonly open?: OpenText;
  /** @param parse throws InvalidFlagsError with line and column */
  readonly store: (parse: (text: string) => FlagDocument) => DrivenStore;
  /** Whether the store logs what it refuses by itself. @default false */
  readonly storeLogs?: boolean;
}

/** An engine with the flags of the configuration, which it follows. */
export async function openEngine(
  config: FeatureFlagsConfig,
  at: DriverSite,
): Promise<{ engine: FlagEngine; refuse: (error: unknown) => void; close: () => Promise<void> }> {
  const { id, logger, context, clock, app } = at;
  const engine = new FlagEngine({ id, logger, context, clock, app, defaults: documentOf(config.flags).flags });
  const refuse = (error: unknown) => {
    engine.refuse(error);
    logger.error(`The last good flags stay in force: ${reasonOf(error)}`);
  };
  at.onConfigChange(changed => {
    if (!changed.some(path => path === 'flags' || path.startsWith('flags.'))) return;
    try {
      engine.applyDefaults(documentOf(config.flags).flags);
    } catch (error) {
      refuse(error);
    }
  });
  const unregister = config.openFeature ? await registerProvider(engine, config.openFeatureDomain, at) : undefined;
  return { engine, refuse, close: async () => unregister?.() };
}

/** What drivers with a store have in common. Its flags are read before the app goes on, so that the defaults answer nobody meanwhile. */
export async function openFlags(
  config: FeatureFlagsConfig,
  at: DriverSite,
  { address, source, open, store: openStore, storeLogs = false }: FlagSourceOptions,
): Promise<Opened<FeatureFlags>> {
  const { engine, refuse, close } = await openEngine(config, at);
  const store = openStore(text => parseFlagDocument(text, { source, under: documentOf(config.flags).flags }, open));
  rememberStore(engine, { driver: config.driver, store, defaults: () => engine.configured });
  const apply = (snapshot: FlagSnapshot) => engine.apply(snapshot);
  // An error here is not lost: `connect` reads again, and reports it.
  let isRead = await store.read().then(
    snapshot => (apply(snapshot), true),
    () => false,
  );
  let unwatch: (() => Promise<void>) | undefined;
  const later = (snapshot: FlagSnapshot) => {
    isRead = true;
    apply(snapshot);
  };
  return {
    client: engine,
    address,
    connect: async () => {
      // Stays when the reading fails: it tells at once when there is something to read.
      unwatch ??= await store.watch(later, storeLogs ? error => engine.refuse(error) : refuse);
      if (isRead) return;
      const snapshot = await store.read();
      if (!isRead) later(snapshot);
    },
    check: () => ({ source: address, ...engine.health(), ...store.check?.() }),
    close: async () => {
      await close();
      await unwatch?.();
      await store.close?.();
    },
  };
}
