import { DatabaseModule } from '@core-infra/database';
import { Module } from '@nestjs/common';
import { PaymentsModule } from '../payments/payments.module.js';
import { FulfilmentEvents } from './fulfilment.events.js';
import { FulfilmentService } from './fulfilment.service.js';
import { Reservation } from './reservation.entity.js';
import { StockLedger } from './stock.ledger.js';

@Module({
  imports: [DatabaseModule.forFeature([Reservation]), PaymentsModule],
  controllers: [FulfilmentEvents],
  providers: [FulfilmentService, StockLedger],
})
export class FulfilmentModule {}
