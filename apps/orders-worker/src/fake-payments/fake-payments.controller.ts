import {
  BadRequestException,
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  Put,
  Query,
  Res,
} from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { setTimeout as sleep } from 'node:timers/promises';
import { PaymentsConfig } from '../payments/payments.config.js';
import { ChangeCard, FakePayments, NewCharge, NewRefund } from './fake-payments.dto.js';
import { FakePaymentsService } from './fake-payments.service.js';

const PAYMENT_REQUIRED = 402;
const GONE = 410;
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
  @ApiOperation({ summary: 'Charge a card; once for each idempotency key, and not after a refund' })
  async charge(
    @Headers('idempotency-key') key: string | undefined,
    @Body() charge: NewCharge,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<object> {
    return this.flaky(key, reply, async known => {
      const outcome = await this.payments.charge(known, charge);
      if (outcome === 'declined') return answer(reply, PAYMENT_REQUIRED);
      if (outcome === 'closed') return answer(reply, GONE);
      return outcome === 'garbled' ? { pay: '…' } : outcome;
    });
  }

  @Post('refunds')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Give back what was charged for a reference, if anything was, and charge nothing more for it',
  })
  async refund(
    @Headers('idempotency-key') key: string | undefined,
    @Body() refund: NewRefund,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<object> {
    return this.flaky(key, reply, async known => {
      await this.payments.refund(known, refund);
      return {};
    });
  }

  @Get('charges')
  @ApiOkResponse({ type: FakePayments })
  @ApiOperation({ summary: 'Every charge that was made for a reference' })
  async charges(@Query('reference') reference: string = ''): Promise<FakePayments> {
    this.assertEnabled();
    const items = await this.payments.chargesOf(reference);
    return { total: items.length, items };
  }

  @Put('cards/:card')
  @HttpCode(204)
  @ApiOperation({ summary: 'Say how a card behaves from now on, until this process ends' })
  changeCard(@Param('card') card: string, @Body() { temper }: ChangeCard): void {
    this.assertEnabled();
    this.payments.change(card, temper);
  }

  private async flaky(key: string | undefined, reply: Reply, work: (key: string) => Promise<object>): Promise<object> {
    this.assertEnabled();
    if (!key) throw new BadRequestException('The header Idempotency-Key is missing');
    const failing = this.payments.nextFailing();
    await sleep(this.config.fake.delayMs);
    const result = failing === 'before' ? {} : await work(key);
    return failing ? answer(reply, UNAVAILABLE) : result;
  }

  private assertEnabled(): void {
    if (!this.config.fake.enabled) throw new NotFoundException();
  }
}
