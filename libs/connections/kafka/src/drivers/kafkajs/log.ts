import type { Logger } from '@nestjs/common';
import type { logCreator } from 'kafkajs';

/**
 * kafkajs's own lines, at debug level, whatever it calls them: what it logs as an error is an attempt that is repeated, and what comes of that is
 * an error of ours. Without stacks, and without whatever else it adds besides words and numbers.
 */
export function logTo(logger: Logger): logCreator {
  return () =>
    ({ namespace, log }) => {
      const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...rest } = log;
      const fields = Object.fromEntries(
        Object.entries(rest).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
      );
      logger.debug(`kafkajs${namespace ? ` ${namespace}` : ''}: ${message}`, fields);
    };
}
