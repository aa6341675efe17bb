import { provideConfig } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { FakePaymentsController } from '../fake-payments/fake-payments.controller.js';
import { FakePaymentsService } from '../fake-payments/fake-payments.service.js';
import { PaymentsConfig } from './payments.config.js';
import { Payments } from './payments.js';

@Module({
  controllers: [FakePaymentsController],
  providers: [Payments, FakePaymentsService, ...provideConfig(PaymentsConfig)],
  exports: [Payments],
})
export class PaymentsModule {}
