import {
  catalogue,
  classify,
  ErrorSpec,
  importPackage,
  InfraError,
  lazyDriver,
  MissingPackageError,
  StepTimeoutError,
} from '@core-infra/kernel';
import * as kernel from '@core-infra/kernel';

@ErrorSpec({ code: 'ORDER_ALREADY_PAID', status: 409, fault: 'client', summary: 'An order is paid twice.' })
class OrderAlreadyPaidError extends InfraError {
  constructor(readonly orderId: string) {
    super(`Order ${orderId} is paid.`, 'Refund it first.');
  }
}

describe('InfraError', () => {
  it('carries what its class states, the problem, the fix and the cause', () => {
    const cause = new Error('root');
    const error = new StepTimeoutError('redis', 'check', 30);
    expect(error).toMatchObject({
      name: 'StepTimeoutError',
      code: 'INFRA_STEP_TIMEOUT',
      status: 503,
      fault: 'dependency',
      retryable: true,
      budgetMs: 30,
    });
    expect(new OrderAlreadyPaidError('7')).toMatchObject({
      code: 'ORDER_ALREADY_PAID',
      status: 409,
      message: 'Order 7 is paid. Refund it first.',
    });
    expect(new MissingPackageError('redis', ['ioredis@^5.11'], { cause }).cause).toBe(cause);
  });

  it('is refused without @ErrorSpec', () => {
    class Unstated extends InfraError {}
    expect(() => new Unstated('x')).toThrow('Unstated extends InfraError without @ErrorSpec');
  });
});

describe('catalogue', () => {
  it('lists the errors of modules by code', () => {
    const codes = catalogue(kernel, { OrderAlreadyPaidError }).map(entry => entry.code);
    expect(codes).toEqual([...codes].sort());
    expect(codes).toEqual(expect.arrayContaining(['INFRA_CONFIG', 'ORDER_ALREADY_PAID']));
  });

  it('refuses one code on two classes, naming both', () => {
    @ErrorSpec({ code: 'ORDER_ALREADY_PAID', summary: 'The same code again.' })
    class PaidTwiceError extends InfraError {}
    expect(() => catalogue({ OrderAlreadyPaidError }, { PaidTwiceError })).toThrow(
      'ORDER_ALREADY_PAID is the code of both OrderAlreadyPaidError and PaidTwiceError',
    );
  });
});

describe('a package that is not installed', () => {
  const missing = () => import('@core-infra/no-such-package' as string);

  it('is an error with the npm install line', async () => {
    const error = await importPackage(missing, 'redis', ['@core-infra/no-such-package@^5.11']).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'INFRA_MISSING_PACKAGE', neededBy: 'redis' });
    expect((error as Error).message).toContain('npm install @core-infra/no-such-package@^5.11');
  });

  it('is told apart from any other failure to load', async () => {
    await expect(
      importPackage(() => Promise.reject(new SyntaxError('broken')), 'redis', ['ioredis@^5']),
    ).rejects.toThrow('broken');
    await expect(importPackage(missing, 'redis', ['ioredis@^5'])).rejects.not.toBeInstanceOf(MissingPackageError);
  });

  it('is not looked for before its driver is used', async () => {
    const load = jest.fn(missing as () => Promise<never>);
    const driver = lazyDriver(load, ['@core-infra/no-such-package@^5.11']);
    expect(load).not.toHaveBeenCalled();
    await expect(driver({}, { id: 'cache' } as never)).rejects.toMatchObject({
      code: 'INFRA_MISSING_PACKAGE',
      neededBy: 'cache',
    });
  });
});

describe('classify', () => {
  it('asks drivers, then the error, then its cause', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    expect(classify(refused)).toEqual({ fault: 'dependency', retryable: true });
    expect(classify(new Error('wrapped', { cause: refused }))).toEqual({ fault: 'dependency', retryable: true });
    expect(classify(new AggregateError([refused]))).toEqual({ fault: 'dependency', retryable: true });
    expect(classify(new OrderAlreadyPaidError('7'))).toEqual({ fault: 'client', retryable: false });
    expect(classify(new Error('what?'))).toEqual({ fault: 'server', retryable: false });
    const busy = (error: unknown) =>
      (error as Error).message === 'BUSY'
        ? { fault: 'dependency' as const, retryable: true, retryAfterMs: 50 }
        : undefined;
    expect(classify(new Error('outer', { cause: new Error('BUSY') }), [busy])).toEqual({
      fault: 'dependency',
      retryable: true,
      retryAfterMs: 50,
    });
  });
});
