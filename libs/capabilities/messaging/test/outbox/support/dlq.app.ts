import { DatabaseModule } from '@core-infra/database';
import { Module } from '@nestjs/common';
import { type MessagingDriverName, MessagingModule } from '@core-infra/messaging';
import { OutboxModule } from '@core-infra/messaging/outbox';

/** An app for the command line; what it is connected to is read at each boot. */
@Module({
  imports: [
    DatabaseModule.forRootAsync({ useFactory: () => ({ dsn: process.env['SPEC_DATABASE']! }) }),
    OutboxModule.forRoot(),
    MessagingModule.forRootAsync({
      useFactory: () => ({ driver: (process.env['SPEC_DRIVER'] ?? 'memory') as MessagingDriverName }),
    }),
  ],
})
export class AppModule {}
