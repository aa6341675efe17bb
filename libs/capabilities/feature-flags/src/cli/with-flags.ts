import { type CliContext, connectionId, connectionToken, openForCommand } from '@core-infra/kernel';
import { FlagEditError } from '../admin/errors.js';
import { FlagEditor } from '../admin/flag-editor.js';
import type { FeatureFlags } from '../feature-flags.js';
import { option } from './arguments.js';
import { withExitCode } from './exit-codes.js';

/** Runs a command on the flags of the app, of which nothing else is opened: no other connection, no migration, no hook. */
export function withFlags(context: CliContext, work: (editor: FlagEditor) => Promise<void>): Promise<number> {
  return withExitCode(context, async () => {
    const connection = option(context, 'connection') ?? 'default';
    const token = connectionToken<FeatureFlags>('feature-flags', connection);
    const modules = await context.app.inspect();
    if (![...modules.values()].some(module => module.providers.has(token)))
      throw new FlagEditError(
        `The app registers no feature flags "${connection}".`,
        'Import FeatureFlagsModule in it, or name another connection with --connection.',
      );
    await openForCommand<FeatureFlags, void>(
      () => context.app.boot(),
      { connection: connectionId('feature-flags', connection), upstreams: ['redis'] },
      flags => work(new FlagEditor(flags)),
    );
  });
}
