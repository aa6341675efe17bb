import { hostname } from 'node:os';
import type { Candidate, ConfigProblem } from '@core-infra/kernel';
import { AppConfig } from './app.config.js';
import type { ConfigModuleOptions } from './config.options.js';
import type { Sources } from './sources/load-sources.js';
import { DevelopmentConfig } from './development.config.js';
import type { SectionReading } from './sections/section-reader.js';

/** What is known of the app without any source: the host, package.json, and the options of the module. Below every source. */
export function appFallback({ packageInfo }: Sources, { app }: ConfigModuleOptions): Candidate[] {
  const source = packageInfo?.file ?? 'package.json';
  const name = packageInfo?.name?.replace(/[^\w.-]/g, '-');
  return [
    { path: 'instance', value: hostname() || 'local', source: "the host's name" },
    ...(name ? [{ path: 'name', value: name, source }] : []),
    ...(app === undefined ? [] : [{ path: 'name', value: app, source: 'ConfigModule.forRoot({ app })' }]),
    ...(packageInfo?.version ? [{ path: 'version', value: packageInfo.version, source }] : []),
  ];
}

/** Rules that only the whole configuration can tell. */
export function checkAppFacts(
  { environment }: Sources,
  readings: { readonly Config: unknown; readonly reading: SectionReading<object> }[],
): ConfigProblem[] {
  return readings.flatMap(({ Config, reading: { config, sources, problems } }) => {
    if (problems.length > 0) return [];
    if (config instanceof AppConfig && Config === AppConfig && config.environment !== environment) {
      return [
        {
          key: 'app.environment',
          env: 'NODE_ENV',
          source: sources.get('environment'),
          expected: `it in the environment (NODE_ENV), a flag or code, since it decides which files are read (now: ${environment})`,
          got: config.environment,
        },
      ];
    }
    if (config instanceof DevelopmentConfig && config.debug && environment === 'production') {
      return [
        {
          key: 'development.debug',
          env: 'DEVELOPMENT_DEBUG',
          source: sources.get('debug'),
          expected: 'false in production, where stacks and debug records leak',
          got: 'true',
        },
      ];
    }
    return [];
  });
}
