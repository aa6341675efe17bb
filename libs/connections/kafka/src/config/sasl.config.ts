import { Secret, Synonyms } from '@core-infra/kernel';
import { IsArray, IsIn, IsObject, IsOptional, IsString, IsUrl } from 'class-validator';

export type KafkaSaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** What code may give for OAUTHBEARER in place of an endpoint. */
export interface KafkaTokenSource {
  /** A token that is valid now; asked for each connection, and again before the broker's session ends. */
  token?: () => Promise<string>;
}

/** How the app proves who it is. */
export class KafkaSaslConfig {
  /** `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`; without one nobody logs in. */
  @IsOptional()
  @IsIn(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])
  @Synonyms({
    plain: 'PLAIN',
    'scram-256': 'SCRAM-SHA-256',
    'scram-sha-256': 'SCRAM-SHA-256',
    'scram-512': 'SCRAM-SHA-512',
    'scram-sha-512': 'SCRAM-SHA-512',
    oauthbearer: 'OAUTHBEARER',
  })
  mechanism?: KafkaSaslMechanism;

  @IsOptional()
  @IsString()
  username?: string;

  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  /** OAUTHBEARER: where `username` and `password`, as client id and secret, are exchanged for a token (OAuth 2.0 client credentials). */
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  tokenEndpoint?: string;

  /** OAUTHBEARER: what the token is asked for. @default [] */
  @IsArray()
  @IsString({ each: true })
  scopes: string[] = [];

  /** OAUTHBEARER: `{ token: async () => … }`, given in code in place of an endpoint. @default {} */
  @IsObject()
  oauth: KafkaTokenSource = {};
}
