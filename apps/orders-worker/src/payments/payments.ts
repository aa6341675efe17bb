import { Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import type { MoneyData } from 'orders-events';
import type { Charge } from './charge.js';
import { PaymentsConfig } from './payments.config.js';
import { PaymentAnswerNotUnderstoodError, PaymentProviderUnavailableError } from './payments.errors.js';

interface Answer {
  readonly status: number;
  readonly body: { readonly payment_id?: unknown } | undefined;
}

/** The payment provider, over HTTP. What it is asked twice with the same key it does once. */
@Injectable()
export class Payments {
  constructor(
    private readonly config: PaymentsConfig,
    private readonly host: HttpAdapterHost,
    private readonly application: ApplicationConfig,
  ) {}

  /**
   * @param key the same for every attempt of one charge
   * @throws PaymentProviderUnavailableError, PaymentAnswerNotUnderstoodError
   */
  async charge(key: string, { amount, currency }: MoneyData, card: string, signal: AbortSignal): Promise<Charge> {
    const { status, body } = await this.post('charges', key, { amount, currency, card }, signal);
    if (status === 402) return { declined: true };
    if (status !== 201 || typeof body?.payment_id !== 'string')
      throw new PaymentAnswerNotUnderstoodError('charges', status);
    return { declined: false, paymentId: body.payment_id };
  }

  /** Gives back what was charged with this key, if anything was. @throws as `charge` */
  async refund(key: string, signal: AbortSignal): Promise<void> {
    const { status } = await this.post('refunds', key, {}, signal);
    if (status !== 200) throw new PaymentAnswerNotUnderstoodError('refunds', status);
  }

  private async post(operation: string, key: string, body: object, signal: AbortSignal): Promise<Answer> {
    const response = await this.fetched(operation, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.config.timeoutMs)]),
    });
    if (response.status === 429 || response.status >= 500)
      throw new PaymentProviderUnavailableError(operation, `it answered ${response.status}`);
    return { status: response.status, body: (await response.json().catch(() => undefined)) as Answer['body'] };
  }

  private async fetched(operation: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(`${this.config.url ?? this.ownUrl}/${operation}`, init);
    } catch (error) {
      const { message, cause } = error as Error;
      throw new PaymentProviderUnavailableError(operation, cause instanceof Error ? cause.message : message, {
        cause: error,
      });
    }
  }

  /** Where this process itself listens, and has a provider of its own. */
  private get ownUrl(): string {
    const { port } = this.host.httpAdapter.getHttpServer().address() as AddressInfo;
    return ['http://127.0.0.1:' + port, this.application.getGlobalPrefix(), 'fake-payments']
      .map(part => part.replace(/^\/|\/$/g, ''))
      .filter(Boolean)
      .join('/');
  }
}
