import { Secret } from '@core-infra/kernel';
import { IsBoolean, IsOptional, IsString } from 'class-validator';

/** Encryption of the connection; `tls://` turns it on as well. A server that demands it gets it in any case. */
export class NatsTlsConfig {
  /** Whether a server without TLS is refused. @default false */
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

  /** Whether TLS comes before the server's greeting, as its `handshake_first` says. @default false */
  @IsBoolean()
  handshakeFirst: boolean = false;
}
