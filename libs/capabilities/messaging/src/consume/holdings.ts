import type { ConsumersConfig } from '../config/consumers.config.js';
import type { Consumption } from '../driver/message-driver.js';
import { Gate } from './gate.js';
import type { Work } from './work.js';

/** What a member has in hand: each message is settled or released once, and no more are fetched than may be held. */
export class Holdings {
  private readonly gate: Gate;
  private consumption?: Consumption;
  private count = 0;
  private bytes = 0;

  constructor(
    group: string,
    private readonly config: ConsumersConfig,
  ) {
    this.gate = new Gate(
      group,
      () => this.consumption?.pause(),
      () => this.consumption?.resume(),
    );
  }

  get messages(): number {
    return this.count;
  }

  get pausedBy(): readonly string[] {
    return this.gate.closedBy;
  }

  /** The member has joined. */
  attach(consumption: Consumption): void {
    this.consumption = consumption;
    if (this.pausedBy.length > 0) consumption.pause();
  }

  /** Fetching pauses for as long as there is a reason. */
  hold(reason: string, holds: boolean): void {
    this.gate.set(reason, holds);
  }

  take(work: Work): void {
    work.held = true;
    this.count += 1;
    this.bytes += work.bytes;
  }

  /** Handled, dead, or kept elsewhere. */
  settle(work: Work): void {
    if (!this.letGo(work)) return;
    this.consumption?.settle(work.message);
    this.weigh();
  }

  /** Not handled: the broker's again. */
  release(work: Work): void {
    if (!this.letGo(work)) return;
    this.consumption?.release(work.message);
    this.weigh();
  }

  weigh(): void {
    const { maxInFlight, maxBytesInFlight } = this.config;
    if (this.count >= maxInFlight || this.bytes >= maxBytesInFlight) this.gate.set('in flight', true);
    else if (this.count <= maxInFlight / 2 && this.bytes <= maxBytesInFlight / 2) this.gate.set('in flight', false);
  }

  /** Whether it was in hand: what comes from the parking lot is not, nor what was let go before. */
  private letGo(work: Work): boolean {
    if (!work.held) return false;
    work.held = false;
    this.count -= 1;
    this.bytes -= work.bytes;
    return true;
  }
}
