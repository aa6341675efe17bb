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

interface RawPino {
  readonly loop: Loop;
  close(): void;
}

/** A child logger with the ids of a request, as pino's manual has it. */
function childOf(options: pino.LoggerOptions, destination: pino.DestinationStream): pino.Logger {
  const bindings = { logger: 'OrdersService', request_id: ids.requestId, correlation_id: ids.correlationId };
  return pino(options, destination).child(bindings);
}

function asynchronous(options: pino.LoggerOptions): RawPino {
  const destination = pino.destination({ dest: NOWHERE, sync: false, minLength: 4_096 });
  const child = childOf(options, destination);
  // Its `flush` would sync the file as well. A burst is more than `minLength`, so there is a write to wait for.
  const written = () => once(destination, 'drain');
  return { loop: inBursts(at => child.info(fieldsOf(at), 'order placed'), written), close: () => destination.end() };
}

/** What encoding alone costs, without a byte written. */
function encodingOnly(): RawPino {
  const child = childOf({}, { write: () => {} });
  const yielding = () => new Promise(resolve => setImmediate(resolve));
  return { loop: inBursts(at => child.info(fieldsOf(at), 'order placed'), yielding), close: () => {} };
}

export const logLine: BenchCase = {
  name: 'log-line',
  about:
    'One line with a message and five fields, one of them a secret two levels deep. *core-infra*: `AppLogger` in a request’s context, whose ids ' +
    'it adds, with secrets left out at any depth, written in the background. *pino child*: bound to the same ids once and for all, nothing left ' +
    'out, written in the background too (`sync: false, minLength: 4096`). *with redact*: the same with four paths. *encoding alone*: the same ' +
    'child without a destination.',
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
    const raw = asynchronous({});
    const redacting = asynchronous({ redact: ['token', '*.token', 'password', '*.password'] });
    return {
      variants: [
        loopVariant('core-infra', times => context.run(ids, () => write(times)), effort),
        loopVariant('pino child', raw.loop, effort),
        loopVariant('pino child with redact', redacting.loop, effort),
        loopVariant('pino child, encoding alone', encodingOnly().loop, effort),
      ],
      async close() {
        raw.close();
        redacting.close();
        await app.close();
      },
    };
  },
};
