import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import { AppLogger, LoggerModule, LogRoot } from '@core-infra/logger';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { once } from 'node:events';
import { pino } from 'pino';
import type { BenchCase } from '../harness/bench-case.js';
import { type Loop, loopVariant } from '../harness/loop.js';

/** Both write to it as they do to any file, in the background; what the disk would cost is left out. */
const NOWHERE = '/dev/null';
/** Lines between two waits for the writer, so that neither only fills its memory. */
const BURST = 500;

@Injectable()
class OrdersService {
  constructor(readonly logger: AppLogger) {}
}

@Module({
  imports: [
    ContextModule.forRoot(),
    LoggerModule.forRoot({ level: 'info', format: 'json', output: 'file', filePath: NOWHERE }),
  ],
  providers: [OrdersService],
})
class OursModule {}

const ids = {
  requestId: '0190d6f2-6c1e-7a3b-9d4e-5f60718293a4',
  correlationId: 'c0ffee00-cafe-4bad-8f00-d00dfeed0001',
};

const fieldsOf = (at: number) => ({
  orderId: `o-${at}`,
  totalMinor: 17_500,
  currency: 'EUR',
  customer: { id: 'c-42', token: 'tok_4f2a9c' },
});

/** `write` at least as often as told, in whole bursts, waiting for the writer after each. */
function inBursts(write: (at: number) => void, written: () => Promise<unknown>): Loop {
  return async times => {
    for (let at = 0; at < times;) {
      for (const end = at + BURST; at < end; at += 1) write(at);
      await written();
    }
  };
}

function rawPino(options: pino.LoggerOptions): { readonly loop: Loop; close(): void } {
  const destination = pino.destination({ dest: NOWHERE, sync: false, minLength: 4_096 });
  const child = pino(options, destination).child({
    logger: 'OrdersService',
    request_id: ids.requestId,
    correlation_id: ids.correlationId,
  });
  // Its `flush` would sync the file as well. A burst is more than `minLength`, so there is a write to wait for.
  const written = () => once(destination, 'drain');
  return { loop: inBursts(at => child.info(fieldsOf(at), 'order placed'), written), close: () => destination.end() };
}

export const logLine: BenchCase = {
  name: 'log-line',
  about:
    'One line with a message and five fields, one of them a secret two levels deep. *core-infra*: `AppLogger` in a request’s context, whose ids ' +
    'it adds, with secrets left out at any depth. *pino child*: bound to the same ids once and for all, and nothing left out. *pino child with ' +
    'redact*: with four paths.',
  rounds: 21,
  metrics: [{ key: 'nsPerCall', label: 'CPU per line', unit: 'ns', digits: 0 }],
  goals: [{ metric: 'nsPerCall', variant: 'core-infra', against: { variant: 'pino child', as: 'ratio' }, atMost: 1.2 }],
  async open(effort) {
    const app = await NestFactory.createApplicationContext(OursModule, { logger: false, abortOnError: false });
    const { logger } = app.get(OrdersService);
    const context = app.get(RequestContext);
    const root = app.get(LogRoot);
    const write = inBursts(
      at => logger.info('order placed', fieldsOf(at)),
      () => root.flush(),
    );
    const raw = rawPino({});
    const redacting = rawPino({ redact: ['token', '*.token', 'password', '*.password'] });
    return {
      variants: [
        loopVariant('core-infra', times => context.run(ids, () => write(times)), effort),
        loopVariant('pino child', raw.loop, effort),
        loopVariant('pino child with redact', redacting.loop, effort),
      ],
      async close() {
        raw.close();
        redacting.close();
        await app.close();
      },
    };
  },
};
