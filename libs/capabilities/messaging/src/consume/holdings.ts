import type { DriverSite } from '@core-infra/kernel';
import type { ConsumersConfig } from '../config/consumers.config.js';
import type { Consumption } from '../driver/message-driver.js';
import { Gate } from './gate.js';
import type { Work } from './work.js';

const inFlight = 'in flight';

/** What a member has in hand: each message is settled or released once, and no more are fetched than may be held. */
export class Holdings {
  private readonly gate: Gate;
  private consumption?: Consumption;
  private count = 0;
  private bytes = 0;
  /** What of it waits for another attempt, and cannot be helped by fetching nothing. */
  private restingCount = 0;
  private restingBytes = 0;

  constructor(
    site: DriverSite,
    group: string,
    private readonly config: ConsumersConfig,
  ) {
    this.gate = new Gate(
      site,
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

  /** Whether there is another reason than what is in hand, e.g. a full heap. */
  get isPressed(): boolean {
    return this.gate.closedBy.some(reason => reason !== inFlight);
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

  /** Whether so much is in hand that what can be kept elsewhere should be. */
  get isTight(): boolean {
    const { maxInFlight, maxBytesInFlight } = this.config;
    return this.count > maxInFlight / 2 || this.bytes > maxBytesInFlight / 2;
  }

  /** It waits for another attempt of its key, or no more. */
  rest(work: Work, rests: boolean): void {
    if (!work.held || work.resting === rests) return;
    work.resting = rests;
    this.restingCount += rests ? 1 : -1;
    this.restingBytes += rests ? work.bytes : -work.bytes;
    if (rests) this.weigh();
  }

  /** Handled, dead, or kept elsewhere. */
  settle(work: Work): void {
    if (!this.letGo(work)) return;
    if (!work.ticket) this.consumption?.settle(work.message);
    this.weigh();
  }

  /** Not handled: the broker's again. */
  release(work: Work): void {
    if (!this.letGo(work)) return;
    if (!work.ticket) this.consumption?.release(work.message);
    this.weigh();
  }

  weigh(): void {
    const { maxInFlight, maxBytesInFlight } = this.config;
    if (this.count >= maxInFlight || this.bytes >= maxBytesInFlight) this.gate.set(inFlight, true);
    // At half of what is not taken by messages that wait for another attempt: these may be more than half for a long time.
    else if (
      this.count <= (maxInFlight + this.restingCount) / 2 &&
      this.bytes <= (maxBytesInFlight + this.restingBytes) / 2
    )
      this.gate.set(inFlight, false);
  }

  /** Whether it was in hand, and not let go before. */
  private letGo(work: Work): boolean {
    if (!work.held) return false;
    this.rest(work, false);
    work.held = false;
    this.count -= 1;
    this.bytes -= work.bytes;
    return true;
  }
}
