import { ConnectionConfig, defineConcern, ErrorSpec, InfraError, Secret } from '@core-infra/kernel';
import { Module } from '@nestjs/common';
import { IsIn, IsOptional, IsString, IsUrl } from 'class-validator';

@ErrorSpec({ code: 'QDRANT_REFUSED', status: 502, fault: 'dependency', summary: 'Qdrant answered with an error.' })
export class QdrantRefusedError extends InfraError {
  constructor(readonly answered: number) {
    super(`Qdrant answered ${answered}.`, 'Look at its log.');
  }
}

/** Section `qdrant`. */
export class QdrantConfig extends ConnectionConfig {
  @IsIn(['rest']) driver: 'rest' = 'rest';
  /** Where the server is. Env: `QDRANT_URL`. @default http://127.0.0.1:6333 */
  @IsUrl({ require_tld: false, require_protocol: true })
  url: string = 'http://127.0.0.1:6333';
  /** Key that the server asks for. */
  @Secret()
  @IsOptional()
  @IsString()
  apiKey?: string;
}

export class QdrantClient {
  constructor(private readonly config: QdrantConfig) {}

  async collections(signal?: AbortSignal): Promise<string[]> {
    const { url, apiKey } = this.config;
    const response = await fetch(new URL('/collections', url), {
      signal,
      headers: apiKey ? { 'api-key': apiKey } : {},
    });
    if (!response.ok) throw new QdrantRefusedError(response.status);
    const { result } = (await response.json()) as { result: { collections: { name: string }[] } };
    return result.collections.map(({ name }) => name);
  }
}

const qdrant = defineConcern({
  name: 'qdrant',
  port: QdrantClient,
  config: QdrantConfig,
  drivers: {
    rest: config => {
      const client = new QdrantClient(config);
      return {
        client,
        address: config.url,
        connect: signal => client.collections(signal),
        check: async signal => ({ collections: (await client.collections(signal)).length }),
      };
    },
  },
});
export const { Inject: InjectQdrant } = qdrant;

@Module({})
export class QdrantModule extends qdrant.ConcernModule {}
