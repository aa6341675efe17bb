import { InfraError } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import { tell } from '../events/messaging-events.js';
import type { Handler } from '../handlers/handler.js';
import type { DeadReason } from '../stores/dead-letters.js';
import type { Attempted } from './attempt.js';
import { deadLetterOf } from './dead-letter.js';
import type { Lane } from './lane.js';
import type { Parking } from './parking.js';
import { textOf } from './text-of.js';
import { untilDone } from './until-done.js';
import { hintsOf, verdictOf } from './verdict.js';
import type { Failure, Work } from './work.js';

export interface AftermathSite {
  /** Aborts when nothing more can be waited for. */
  readonly signal: AbortSignal;
  /** The broker need not keep the message. */
  settle(work: Work): void;
}

/** What becomes of messages after an attempt: done, tried again, or dead. Whatever it is, it is durable before the broker forgets the message. */
export class Aftermath {
  constructor(
    private readonly hub: MessagingHub,
    private readonly group: string,
    private readonly parking: Parking,
    private readonly site: AftermathSite,
  ) {}

  /** What an attempt means for the works of one lane, which are its first ones. */
  async conclude(
    lane: Lane,
    handler: Handler,
    works: readonly Work[],
    from: number,
    { failures, whole }: Attempted,
  ): Promise<void> {
    if (lane.partition.revoked) return;
    if (whole) {
      for (const work of works) work.alone = true;
      return;
    }
    for (const [at, work] of works.entries()) {
      const failure = failures[from + at];
      // What is behind one that waits was not its turn, whatever has become of it: it comes again after it.
      if (failure && !(await this.fail(lane, handler, work, failure))) return;
      if (failure) continue;
      lane.hasFailed = false;
      if (work.ticket) await this.finish(lane, work);
      else if (!lane.partition.revoked) this.settle(lane, work);
    }
  }

  /** Returns whether the lane may go on with what is behind. */
  private async fail(lane: Lane, handler: Handler, work: Work, failure: Failure): Promise<boolean> {
    const { site, driver } = this.hub;
    const { topic } = work.message;
    const hints = hintsOf(failure.error, site.classify);
    work.attempts += 1;
    if (!failure.reason && !hints.isAway) lane.hasFailed = true;
    const verdict = verdictOf(work, handler, failure, site.clock.now(), hints);
    if ('dead' in verdict) {
      await this.bury(lane, work, failure, verdict.dead);
      return true;
    }
    const { delayMs, mode } = verdict;
    this.logFailure(work, failure, delayMs);
    tell(this.hub.site, { kind: 'retried', group: this.group, topic, mode, delayMs });
    if (mode === 'ordered') {
      await this.parking.retry(lane, work, delayMs, failure.error);
      return false;
    }
    const again = {
      ...work.message,
      attempts: work.attempts,
      firstAttemptAt: work.firstAttemptAt ?? site.clock.now(),
      notBefore: site.clock.now() + delayMs,
    };
    const { signal } = this.site;
    let isTooLarge = false;
    const sent = await untilDone(
      () =>
        driver.sendToGroup(this.group, [again], signal).catch((error: unknown) => {
          if (!(error instanceof InfraError) || error.status !== 413) throw error;
          isTooLarge = true;
        }),
      signal,
      this.complain('put a message back'),
    );
    if (isTooLarge) {
      // The broker does not take it again: it waits in hand, or in the lot.
      await this.parking.retry(lane, work, delayMs, failure.error);
      return false;
    }
    if (sent) await this.finish(lane, work);
    return sent;
  }

  /** Keeps the message as a dead letter, and is done with it. */
  async bury(
    lane: Lane,
    work: Work,
    { error, reason }: Failure,
    dead: DeadReason = reason ?? 'attempts',
  ): Promise<void> {
    const { site } = this.hub;
    const { signal } = this.site;
    if (work.attempts === 0) work.attempts = 1;
    const letter = deadLetterOf(this.hub, this.group, work, dead, error);
    const kept = await untilDone(
      () => this.hub.deadLetters.add([letter], signal),
      signal,
      this.complain('keep a dead letter'),
    );
    if (!kept || lane.partition.revoked) return;
    const { topic, id } = work.message;
    site.logger.error(
      `A message of the topic "${topic}" is a dead letter of the group "${this.group}" (${dead}): ${letter.error.message}`,
      {
        deadLetter: letter.id,
        event: id.slice(0, 200),
        attempts: work.attempts,
        code: letter.error.code,
      },
    );
    tell(this.hub.site, { kind: 'dead', group: this.group, topic, reason: dead });
    await this.finish(lane, work);
  }

  /** The message is done with: it leaves its lane, and is not delivered again. */
  async finish(lane: Lane, work: Work): Promise<void> {
    if (lane.partition.revoked) return;
    if (work.ticket) {
      const { ticket } = work;
      const { signal } = this.site;
      await untilDone(() => this.parking.remove(ticket), signal, this.complain('remove a parked message'));
    }
    this.settle(lane, work);
  }

  /** The same for one of a partition that is still served, and that is not in the lot: nothing need be waited for. */
  settle({ queue }: Lane, work: Work): void {
    this.site.settle(work);
    const at = queue.indexOf(work);
    if (at === 0) queue.shift();
    else if (at > 0) queue.splice(at, 1);
  }

  private logFailure(work: Work, { error }: Failure, delayMs: number): void {
    const { topic, id } = work.message;
    const message = textOf(error);
    this.hub.site.logger.warn(
      `An attempt with a message of the topic "${topic}" has failed in the group "${this.group}": ${message}`,
      {
        event: id.slice(0, 200),
        attempt: work.attempts,
        againInMs: Math.round(delayMs),
        ...(error instanceof InfraError && { code: error.code }),
      },
    );
  }

  private complain(what: string): (error: unknown, times: number) => void {
    return (error, times) => {
      if (times === 1)
        this.hub.site.logger.warn(`The group "${this.group}" cannot ${what}, and tries again: ${textOf(error)}`);
    };
  }
}
