import type { CliCommand } from '@core-infra/kernel';
import { jsonSchemaOf } from '../schema/json-schema.js';
import { inspectConfiguration } from './inspect-configuration.js';

export const configSchema: CliCommand = {
  usage: 'config schema',
  summary: "A JSON Schema of the app's configuration files, its own sections included",
  examples: ['core-infra --app dist/app.module.js config schema > config/schema.json'],
  async run({ app, output }) {
    const { declared } = await inspectConfiguration(await app.inspect());
    output.text(JSON.stringify(jsonSchemaOf(declared), null, 2), { always: true });
  },
};
