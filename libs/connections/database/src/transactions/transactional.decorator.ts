import { Inject, type InjectionToken } from '@nestjs/common';
import { connectionToken } from '@core-infra/kernel';
import { copyMethodMetadata } from 'nestjs-cls';
import { TransactionalNotWiredError } from './errors.js';
import type { TransactionOptions } from './transaction-options.js';
import { Transactions } from './transactions.js';

export interface TransactionalOptions extends TransactionOptions {
  /** Name of the connection. @default the one that the module's plain `DataSource` is */
  readonly connection?: string;
}

/** DI token of a connection's {@link Transactions}. */
export function getTransactionsToken(connection?: string): InjectionToken<Transactions> {
  return connection === undefined || connection === 'default'
    ? Transactions
    : (`${String(connectionToken('database', connection))}:transactions` as InjectionToken<Transactions>);
}

/** Injects the {@link Transactions} of a connection by name. */
export function InjectTransactions(connection?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getTransactionsToken(connection));
}

/** Only what returns a promise can be waited for. */
type AsyncMethod = (...args: never[]) => Promise<unknown>;
type Wired = Record<symbol, Transactions | undefined>;

/**
 * Runs a method in a transaction, as {@link Transactions.run} does. The class must be instantiated by Nest, which
 * injects what is needed: no global state, and a module's own connection where it has one.
 */
export function Transactional(options: TransactionalOptions = {}) {
  const { connection = 'default' } = options;
  return <M extends AsyncMethod>(
    target: object,
    propertyKey: string | symbol,
    descriptor: TypedPropertyDescriptor<M>,
  ): TypedPropertyDescriptor<M> => {
    const original = descriptor.value!;
    const key = Symbol.for(`core-infra:transactions:${connection}`);
    injectOnce(target, key, connection);
    const name = `${target.constructor.name}.${String(propertyKey)}`;
    // A proxy keeps the name and the parameters of the method, which other decorators and Nest read.
    descriptor.value = new Proxy(original, {
      apply: (method, self: Wired, args: unknown[]) => {
        const transactions = self[key];
        if (!transactions) throw new TransactionalNotWiredError(name);
        return transactions.run(options, () => Reflect.apply(method, self, args as never[]));
      },
    });
    copyMethodMetadata(original, descriptor.value);
    return descriptor;
  };
}

const wired = new WeakMap<object, Set<symbol>>();

/** A class with several such methods needs the property once. */
function injectOnce(target: object, key: symbol, connection: string): void {
  const keys = wired.get(target) ?? new Set();
  if (!keys.has(key)) Inject(getTransactionsToken(connection))(target, key);
  wired.set(target, keys.add(key));
}
