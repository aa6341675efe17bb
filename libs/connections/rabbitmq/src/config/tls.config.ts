import { Secret } from '@core-infra/kernel';
import { IsBoolean, IsOptional, IsString } from 'class-validator';

/** Encryption of the connection; `amqps://` turns it on as well. */
export class RabbitmqTlsConfig {
  /** @default false */
  @IsBoolean()
  enabled: boolean = false;

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

  /** Name that the server's certificate must be issued to. @default the host */
  @IsOptional()
  @IsString()
  servername?: string;

  /** Whether a certificate that cannot be verified ends the connection. @default true */
  @IsBoolean()
  rejectUnauthorized: boolean = true;
}
