import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { HealthConfig } from './health.config.js';
import { inNetworks, networkList } from './networks.js';

/** Decides who sees details. */
@Injectable()
export class HealthAccess {
  private readonly networks: ReturnType<typeof networkList>;

  constructor(private readonly config: HealthConfig) {
    this.networks = networkList(config.networks);
  }

  /**
   * @param authorization the header of that name
   * @param remoteAddress of the socket itself: headers that proxies add can be forged by anybody
   */
  allows(authorization: string | undefined, remoteAddress: string | undefined): boolean {
    if (this.networks && remoteAddress && inNetworks(this.networks, remoteAddress)) return true;
    const { token } = this.config;
    const sent = authorization && /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    return !!token && !!sent && timingSafeEqual(digest(sent), digest(token));
  }
}

/** Of equal length whatever was sent, so that the comparison takes the same time for each. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
