import { Secret } from '@core-infra/kernel';
import { IsBoolean, IsOptional, IsString } from 'class-validator';

/** Encryption of the connections. */
export class KafkaTlsConfig {
  /** @default as securityProtocol says, else false */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;

  /** Certificates to trust, as PEM or as the path of a file; without it Node's own list. */
  @IsOptional()
  @IsString()
  ca?: string;

  /** The client's certificate, as PEM or as the path of a file. */
  @IsOptional()
  @IsString()
  cert?: string;

  /** The client's private key, as PEM or as the path of a file. */
  @IsOptional()
  @IsString()
  @Secret()
  key?: string;

  /** Name that the brokers' certificates must be issued to. @default each broker's host */
  @IsOptional()
  @IsString()
  servername?: string;

  /** Whether a certificate that cannot be verified ends the connection. @default true */
  @IsBoolean()
  rejectUnauthorized: boolean = true;
}
