import { Clock, resolveConfig } from '@core-infra/kernel';
import { randomBytes } from 'node:crypto';
import { CodecConfig } from '../../src/codec/codec.config.js';
import { createCodec } from '../../src/codec/create-codec.js';
import type { CodecSite, ValueCodec } from '../../src/codec/value.codec.js';

export const newKey = (id: string) => ({ id, key: randomBytes(32).toString('base64') });

export interface Line {
  message: string;
  fields: Record<string, unknown>;
}

export function site(lines: Line[] = []): CodecSite {
  const write = (message: string, fields: Record<string, unknown>) => void lines.push({ message, fields });
  return { id: 'cache', clock: Clock.system, logger: { warn: write, debug: write } as unknown as CodecSite['logger'] };
}

export type Given = Partial<Omit<CodecConfig, 'encryption'>> & { encryption?: Partial<CodecConfig['encryption']> };

export function codec(given: Given = {}, lines?: Line[]): Promise<ValueCodec> {
  return createCodec(resolveConfig({ section: 'codec', Config: CodecConfig, given: given as never }), site(lines));
}

export const serialisers = ['json', 'superjson', 'msgpack'] as const;
export const keys = [newKey('k1')];
export const combinations = serialisers.flatMap(serialiser =>
  (['none', 'brotli', 'zstd'] as const).flatMap(compression =>
    [false, true].map(encrypted => ({ serialiser, compression, encrypted })),
  ),
);

/** What a call throws. */
export function catching(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
