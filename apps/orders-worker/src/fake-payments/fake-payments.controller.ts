import { ResourceNotFoundError } from '@core-infra/http';
import { Body, Controller, Get, Headers, HttpCode, NotFoundException, Param, Post, Put, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { setTimeout as sleep } from 'node:timers/promises';
import { PaymentsConfig } from '../payments/payments.config.js';
import { ChangeCard, FakePayment, NewCharge } from './fake-payments.dto.js';
import { FakePaymentsService } from './fake-payments.service.js';

const PAYMENT_REQUIRED = 402;
const UNAVAILABLE = 503;

/** What Fastify's and Express's have in common. */
interface Reply {
  status(code: number): unknown;
}

/** Not by an error: it would be logged as one of ours. */
function answer(reply: Reply, status: number): object {
  reply.status(status);
  return {};
}

/** A payment provider to try the sample with: slow, flaky, and with cards that it does not like. It does not exist where it is not enabled. */
@ApiTags('fake payments')
@Controller('fake-payments')
export class FakePaymentsController {
  constructor(
    private readonly config: PaymentsConfig,
    private readonly payments: FakePaymentsService,
  ) {}

  @Post('charges')
  @ApiOperation({ summary: 'Charge a card; once for each idempotency key' })
  async charge(
    @Headers('idempotency-key') key: string = '',
    @Body() charge: NewCharge,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<object> {
    return this.flaky(reply, async () => {
      const temper = this.payments.temperOf(charge.card);
      if (temper === 'declined') return answer(reply, PAYMENT_REQUIRED);
      if (temper === 'garbled') return { pay: '…' };
      return this.payments.charge(key, charge);
    });
  }

  @Post('refunds')
  @HttpCode(200)
  @ApiOperation({ summary: 'Give back what was charged with the idempotency key, if anything was' })
  async refund(
    @Headers('idempotency-key') key: string = '',
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<object> {
    return this.flaky(reply, async () => {
      await this.payments.refund(key);
      return {};
    });
  }

  @Get('charges/:key')
  @ApiOkResponse({ type: FakePayment })
  @ApiOperation({ summary: 'What was charged with an idempotency key' })
  async charged(@Param('key') key: string): Promise<FakePayment> {
    this.assertEnabled();
    const payment = await this.payments.find(key);
    if (!payment) throw new ResourceNotFoundError('Payment', key);
    return payment;
  }

  @Put('cards/:card')
  @HttpCode(204)
  @ApiOperation({ summary: 'Say how a card behaves from now on, until this process ends' })
  changeCard(@Param('card') card: string, @Body() { temper }: ChangeCard): void {
    this.assertEnabled();
    this.payments.change(card, temper);
  }

  private async flaky(reply: Reply, work: () => Promise<object>): Promise<object> {
    this.assertEnabled();
    const failing = this.payments.nextFailing();
    await sleep(this.config.fake.delayMs);
    const result = failing === 'before' ? {} : await work();
    return failing ? answer(reply, UNAVAILABLE) : result;
  }

  private assertEnabled(): void {
    if (!this.config.fake.enabled) throw new NotFoundException();
  }
}
