import type { CliCommand } from '@core-infra/kernel';
import { inspectConfiguration } from './inspect-configuration.js';

export const configCheck: CliCommand = {
  usage: 'config check',
  summary: 'Every problem of the configuration at once; exits with 2 if there is one',
  examples: ['NODE_ENV=production core-infra --app dist/app.module.js config check'],
  async run({ app, output }) {
    const { problems, notices, remarks } = await inspectConfiguration(await app.inspect());
    output.rows(
      problems.map(({ key, env, source, expected, got }) => ({ key, expected, got, source, env })),
      { empty: 'The configuration is valid.' },
    );
    for (const line of [...notices, ...remarks]) output.note(line);
    return problems.length > 0 ? 2 : 0;
  },
};
