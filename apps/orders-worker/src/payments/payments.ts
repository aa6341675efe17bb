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

/** Which answers may be others a moment later. 409: a call with this key is still being worked on. */
const passing = new Set([408, 409, 425, 429]);
const CREATED = 201;
const DECLINED = 402;
const REFUNDED_ALREADY = 410;

/** The payment provider, over HTTP. What it is asked twice with the same key it does once; a charge and a refund have one each. */
@Injectable()
export class Payments {
  constructor(
    private readonly config: PaymentsConfig,
    private readonly host: HttpAdapterHost,
    private readonly application: ApplicationConfig,
  ) {}

  /**
   * Charges for an order, once however often it is asked; never after {@link refund}, which is answered as if the card were declined.
   * @throws PaymentProviderUnavailableError, PaymentAnswerNotUnderstoodError
   */
  async charge(orderId: string, { amount, currency }: MoneyData, card: string, signal: AbortSignal): Promise<Charge> {
    const charge = { reference: orderId, amount, currency, card };
    const { status, body } = await this.post('charges', `charge-${orderId}`, charge, signal);
    if (status === DECLINED || status === REFUNDED_ALREADY) return { declined: true };
    if (status !== CREATED || typeof body?.payment_id !== 'string')
      throw new PaymentAnswerNotUnderstoodError('charges', status);
    return { declined: false, paymentId: body.payment_id };
  }

  /** Gives back whatever was charged for the order, also by a charge that is still on its way. @throws as `charge` */
  async refund(orderId: string, signal: AbortSignal): Promise<void> {
    const { status } = await this.post('refunds', `refund-${orderId}`, { reference: orderId }, signal);
    if (status !== 200) throw new PaymentAnswerNotUnderstoodError('refunds', status);
  }

  private async post(operation: string, key: string, body: object, signal: AbortSignal): Promise<Answer> {
    const { status, text } = await this.fetched(operation, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.config.timeoutMs)]),
    });
    if (status >= 500 || passing.has(status))
      throw new PaymentProviderUnavailableError(operation, `it answered ${status}`);
    return { status, body: parsed(text) };
  }

  /** An answer that breaks off is none: it may well have been a payment. */
  private async fetched(operation: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const url = `${this.config.url ?? this.ownUrl(operation)}/${operation}`;
    try {
      const response = await fetch(url, init);
      return { status: response.status, text: await response.text() };
    } catch (error) {
      const { message, cause } = error as Error;
      throw new PaymentProviderUnavailableError(operation, cause instanceof Error ? cause.message : message, {
        cause: error,
      });
    }
  }

  /** Where this process itself listens, and has a provider of its own. Messages may come before it does. */
  private ownUrl(operation: string): string {
    const listening = this.host.httpAdapter.getHttpServer().address() as AddressInfo | null;
    if (!listening) throw new PaymentProviderUnavailableError(operation, 'this process does not listen');
    return [originOf(listening), this.application.getGlobalPrefix(), 'fake-payments']
      .map(part => part.replace(/^\/|\/$/g, ''))
      .filter(Boolean)
      .join('/');
  }
}

function originOf({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function parsed(text: string): Answer['body'] {
  try {
    return JSON.parse(text) as Answer['body'];
  } catch {
    return undefined; // what cannot be understood is for the caller to say
  }
}
