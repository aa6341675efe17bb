import * as fc from 'fast-check';
import { dimensionOf, factorOf, parseQuantity } from '@core-infra/kernel';

describe('units', () => {
  it.each([
    ['waitMs', 'duration'],
    ['ms', 'duration'],
    ['pool.idleTimeoutMs', 'duration'],
    ['maxSizeBytes', 'size'],
    ['bytes', 'size'],
    ['items', undefined],
    ['terms', undefined],
    ['kbytes', undefined],
  ])('%s measures %s', (name, dimension) => expect(dimensionOf(name)).toBe(dimension));

  it.each([
    ['250', 250],
    [250, 250],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h 30m', 5_400_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['10 S', 10_000],
    ['', undefined],
    ['5x', undefined],
    ['m', undefined],
    ['5m later', undefined],
    ['five', undefined],
    ['1e400', undefined],
    ['9'.repeat(400), undefined],
    ['9'.repeat(400) + 's', undefined],
  ])('reads the duration %p as %p milliseconds', (text, ms) => expect(parseQuantity(text, 'duration', 'ms')).toBe(ms));

  it.each([
    ['10MB', 10 * 1024 ** 2],
    ['10 MiB', 10 * 1024 ** 2],
    ['1gb', 1024 ** 3],
    ['512', 512],
    ['512b', 512],
    ['1.5KB', 1536],
    ['5s', undefined],
  ])('reads the size %p as %p bytes', (text, bytes) => expect(parseQuantity(text, 'size', 'bytes')).toBe(bytes));

  it('reads every whole amount in every unit as amount times factor', () => {
    const unit = fc.constantFrom('ms' as const, 's' as const, 'm' as const, 'h' as const, 'd' as const);
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (amount, of) => {
        expect(parseQuantity(`${amount}${of}`, 'duration', 'ms')).toBe(amount * factorOf(of));
        expect(parseQuantity(amount, 'duration', of)).toBe(amount * factorOf(of));
      }),
    );
  });

  it('never throws, and gives a finite number or nothing', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const found = parseQuantity(text, 'duration', 's');
        expect(found === undefined || Number.isFinite(found)).toBe(true);
      }),
    );
  });
});
