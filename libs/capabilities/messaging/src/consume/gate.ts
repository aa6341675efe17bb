import type { DriverSite } from '@core-infra/kernel';
import { tell } from '../events/messaging-events.js';

/** Lets messages in, or holds them up for as long as there is a reason. */
export class Gate {
  private readonly reasons = new Set<string>();

  constructor(
    private readonly site: DriverSite,
    private readonly group: string,
    private readonly pause: () => void,
    private readonly resume: () => void,
  ) {}

  get closedBy(): readonly string[] {
    return [...this.reasons];
  }

  set(reason: string, holds: boolean): void {
    if (this.reasons.has(reason) === holds) return;
    const wasOpen = this.reasons.size === 0;
    if (holds) this.reasons.add(reason);
    else this.reasons.delete(reason);
    const isOpen = this.reasons.size === 0;
    if (wasOpen && !isOpen) this.pause();
    if (!wasOpen && isOpen) this.resume();
    tell(this.site, { kind: 'paused', group: this.group, reasons: this.closedBy });
  }
}
