import { Module } from '@nestjs/common';
import { RedisModule } from '@core-infra/redis';
import { FeatureFlagsModule } from '@core-infra/feature-flags';

const { SPEC_REDIS: url, SPEC_KEY: key } = process.env;

/** An app for the command line: with Redis where the environment names one, else with the flags of its configuration alone. */
@Module({
  imports: [
    ...(url ? [RedisModule.forRoot({ url })] : []),
    FeatureFlagsModule.forRoot({
      flags: { checkout: true },
      ...(url && { driver: 'redis', redis: { key, snapshotFile: '', bootWaitMs: 5_000 } }),
    }),
  ],
})
export class AppModule {}
