import { shapeOf } from '@core-infra/kernel';
import { LoggingConfig } from '@core-infra/logger';

describe('LoggingConfig', () => {
  const fields = new Map(shapeOf(LoggingConfig).fields.map(field => [field.path, field]));

  it('is section `logging`, with LOG_LEVEL', () => {
    expect(shapeOf(LoggingConfig).section).toBe('logging');
    expect(fields.get('level')!.env).toEqual([{ names: ['LOG_LEVEL'], unit: undefined }]);
  });

  it.each<[string, string, string | undefined]>([
    ['filePath', 'file_path', undefined],
    ['maxSizeBytes', 'max_size', 'MB'],
    ['maxSizeBytes', 'max_file_size', 'bytes'],
    ['maxBackups', 'max_backups', undefined],
    ['maxBackups', 'backup_count', undefined],
    ['maxAgeMs', 'max_age', 'd'],
    ['enableConsole', 'enable_console', undefined],
    ['enableFile', 'enable_file', undefined],
    ['enableJson', 'enable_json', undefined],
  ])('%s is also %s, in %s', (path, key, unit) => {
    expect(fields.get(path)!.aliases.find(alias => alias.key === key)).toEqual(unit ? { key, unit } : { key });
  });

  it.each(['level', 'levels', 'limits.burst', 'access.slowMs'])('%s can be changed live', path => {
    expect(fields.get(path)!.live).toBe(true);
  });

  it('keeps 3 backups of 100 MB for 28 days', () => {
    expect(new LoggingConfig()).toMatchObject({
      maxBackups: 3,
      maxSizeBytes: 100 * 1_024 ** 2,
      maxAgeMs: 28 * 86_400_000,
    });
  });
});
