import { AsyncLocalStorage } from 'node:async_hooks';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { Consumption, DeliverySink } from '../driver/message-driver.js';
import type { Partition, ReceivedMessage } from '../driver/message.js';
import { MessageTooLargeError } from '../errors.js';
import type { Handler } from '../handlers/handler.js';
import { Aftermath } from './aftermath.js';
import { Batcher } from './batcher.js';
import { Holdings } from './holdings.js';
import { Lane, ServedPartition } from './lane.js';
import { LaneRunner } from './lane-runner.js';
import { Parking } from './parking.js';
import { type Failure, type Work, workOf } from './work.js';

/** Outside of every request: a driver may well deliver within that which has just published. */
const apart = AsyncLocalStorage.snapshot();

/** This process's membership in a group: takes its messages, key by key, to their handlers, and sees to what becomes of them. */
export class GroupMember implements DeliverySink {
  private readonly handlers: ReadonlyMap<string, Handler>;
  private readonly batchers = new Map<Handler, Batcher>();
  private readonly partitions = new Map<string, ServedPartition>();
  private readonly parking: Parking;
  private readonly aftermath: Aftermath;
  private readonly runner: LaneRunner;
  private readonly holdings: Holdings;
  private readonly stopping = new AbortController();
  /** Partitions that are being given up. */
  private readonly leaving = new Set<Promise<void>>();
  private readonly unwatch: () => void;
  private readonly largest: number;
  private consumption?: Consumption;
  /** Delivered before `consume` had resolved. */
  private readonly early: ReceivedMessage[] = [];
  private trouble?: Error;

  constructor(
    private readonly hub: MessagingHub,
    readonly group: string,
    handlers: readonly Handler[],
  ) {
    this.handlers = new Map(handlers.map(handler => [handler.type, handler]));
    const read = (work: Work): unknown => this.read(work);
    for (const handler of handlers)
      if (handler.batch)
        this.batchers.set(handler, new Batcher(handler, read, shares => this.runner.batch(handler, shares)));
    const { maxMessageBytes, consumers } = hub.config;
    this.largest = consumers.maxMessageBytes ?? Math.max(leastReadable, maxMessageBytes);
    this.holdings = new Holdings(hub.site, group, hub.config.consumers);
    this.parking = new Parking(hub, group, {
      signal: this.stopping.signal,
      resume: lane => this.next(lane),
      run: (lane, work) => this.runner.run(lane, work),
      settled: work => this.holdings.settle(work),
      released: work => this.holdings.release(work),
      taken: work => this.holdings.take(work),
      rests: (work, rests) => this.holdings.rest(work, rests),
      isTight: () => this.holdings.isTight,
      isHeld: () => this.holdings.isPressed,
      attempts: handlers.reduce((sum, { concurrency }) => sum + concurrency, 0),
    });
    this.aftermath = new Aftermath(hub, group, this.parking, {
      signal: this.stopping.signal,
      settle: work => this.holdings.settle(work),
    });
    this.runner = new LaneRunner(hub, group, handlers, this.aftermath, lane => this.next(lane));
    this.unwatch = hub.pressure.watch((name, high) => {
      this.holdings.hold(name, high);
      if (!high) this.parking.goOn();
    });
  }

  /** Joins the group. */
  async join(signal: AbortSignal): Promise<void> {
    const handlers = [...this.handlers.values()];
    const { maxInFlight, maxBytesInFlight } = this.hub.config.consumers;
    const consumption = await this.hub.driver.consume(
      {
        group: this.group,
        topics: [...new Set(handlers.map(({ topic }) => topic))],
        queues: [...new Set(handlers.filter(({ queue }) => queue).map(({ topic }) => topic))],
        maxInFlight,
        maxBytesInFlight,
      },
      this,
      signal,
    );
    if (this.stopping.signal.aborted) return consumption.stop(AbortSignal.timeout(lastMs));
    this.consumption = consumption;
    this.holdings.attach(consumption);
    this.deliver(this.early.splice(0));
  }

  get state(): {
    readonly inFlight: number;
    readonly partitions: number;
    readonly pausedBy: readonly string[];
    readonly trouble?: Error;
  } {
    return {
      inFlight: this.holdings.messages,
      partitions: this.partitions.size,
      pausedBy: this.holdings.pausedBy,
      ...(this.trouble && { trouble: this.trouble }),
    };
  }

  backlog(signal: AbortSignal): ReturnType<Consumption['backlog']> {
    return this.consumption?.backlog(signal) ?? Promise.resolve([]);
  }

  async assigned(partitions: readonly Partition[]): Promise<void> {
    const known = partitions.filter(({ topic, number }) => this.partitions.has(nameOf(topic, number)));
    // A driver that was thrown out of its group may not have said so.
    if (known.length > 0) await this.revoked(known);
    const served = partitions.map(ref => new ServedPartition(ref));
    for (const partition of served) this.partitions.set(nameOf(partition.ref.topic, partition.ref.number), partition);
    await this.parking.load(served);
  }

  async revoked(partitions: readonly Partition[]): Promise<void> {
    const given: Promise<void>[] = [];
    for (const { topic, number } of partitions) {
      const partition = this.partitions.get(nameOf(topic, number));
      if (!partition) continue;
      this.partitions.delete(nameOf(topic, number));
      const leaving = this.giveUp(partition).finally(() => this.leaving.delete(leaving));
      this.leaving.add(leaving);
      given.push(leaving);
    }
    await Promise.all(given);
  }

  deliver(messages: readonly ReceivedMessage[]): void {
    if (this.consumption) apart(() => this.begin(messages));
    else this.early.push(...messages);
  }

  troubled(error: Error | undefined): void {
    if (error && error.message !== this.trouble?.message)
      this.hub.site.logger.warn(`The group "${this.group}" receives nothing at present: ${error.message}`);
    if (!error && this.trouble) this.hub.site.logger.log(`The group "${this.group}" receives again`);
    this.trouble = error;
  }

  /** Takes in nothing more, lets attempts that were begun end, and leaves the group. What was not begun is the broker's again. */
  async drain(signal: AbortSignal): Promise<void> {
    this.holdings.hold('shutdown', true);
    this.unwatch();
    const abandon = (): void => this.stopping.abort(new Error('the app ends'));
    signal.addEventListener('abort', abandon, { once: true });
    for (const batcher of this.batchers.values()) batcher.stop();
    const all = [...this.partitions.values()];
    for (const partition of all) partition.closing = true;
    for (const lane of all.flatMap(partition => [...partition.all()])) this.dropQueued(lane);
    // The broker's own connection may be draining too, and be giving partitions up.
    await Promise.all([...all.map(partition => this.ended(partition, signal)), ...this.leaving]);
    abandon();
    this.runner.stop();
    for (const partition of all) this.empty(partition);
    this.partitions.clear();
    await this.consumption?.stop(signal);
  }

  private begin(messages: readonly ReceivedMessage[]): void {
    const now = this.hub.site.clock.now();
    let partition: ServedPartition | undefined;
    for (const message of messages) {
      // Most come one after another from the same.
      if (partition?.ref.number !== message.partition || partition.ref.topic !== message.topic)
        partition = this.partitions.get(nameOf(message.topic, message.partition));
      const work = workOf(message);
      this.holdings.take(work);
      if (!partition || partition.closing)
        this.holdings.release(work); // given up meanwhile
      else this.enter(partition, work, now);
    }
    this.holdings.weigh();
  }

  private enter(partition: ServedPartition, work: Work, now: number): void {
    const { key, redelivered, notBefore = 0 } = work.message;
    if (key !== undefined && !redelivered) {
      const lane = partition.lanes.get(key);
      if (!lane) {
        const fresh = new Lane(partition, key, work);
        partition.lanes.set(key, fresh);
        return this.next(fresh);
      }
      if (lane.parked) return this.parking.append(lane, work);
      lane.queue.push(work);
      if (lane.state === 'idle') this.next(lane);
      else if (lane.state === 'waiting') {
        this.holdings.rest(work, true);
        this.parking.more(lane);
      } else lane.batcher?.more();
      return;
    }
    const lane = new Lane(partition, undefined, work);
    partition.loose.add(lane);
    lane.hasFailed = work.attempts > 0;
    if (notBefore > now) this.parking.waitInHand(lane, notBefore - now);
    else this.next(lane);
  }

  /** Starts the first message of a lane, once there is a place for it. */
  private next(lane: Lane): void {
    if (lane.partition.revoked || this.stopping.signal.aborted || lane.state !== 'idle') return;
    if (lane.partition.closing) return this.dropQueued(lane);
    const work = lane.queue[0];
    if (!work) {
      if (lane.parked) this.parking.fetch(lane);
      else if (lane.isEmpty) this.forget(lane);
      return;
    }
    const failure = this.read(work);
    if (failure) return this.runner.run(lane, () => this.aftermath.bury(lane, work, failure));
    const { handler } = work;
    if (!handler) return this.runner.run(lane, () => this.aftermath.finish(lane, work)); // another type of this topic
    // What has failed is tried by itself: it takes no others with it.
    const batcher = work.alone || lane.hasFailed ? undefined : this.batchers.get(handler);
    if (batcher) return batcher.add(lane);
    this.runner.one(handler, lane, work);
  }

  /** @returns why the message cannot be read; else its event and handler are set */
  private read(work: Work): Failure | undefined {
    if (work.event) return undefined;
    const { topic } = work.message;
    const { routes } = this.hub;
    try {
      if (work.bytes > this.largest) throw new MessageTooLargeError(topic, work.bytes, this.largest);
      work.event = routes.codecOfTopic(topic).decode(work.message, routes.unsaidOf(topic));
      work.handler = this.handlers.get(work.event.type);
      return undefined;
    } catch (error) {
      return { error, reason: 'undecodable' };
    }
  }

  private forget(lane: Lane): void {
    const { lanes, loose } = lane.partition;
    if (lane.key === undefined) loose.delete(lane);
    else if (lanes.get(lane.key) === lane) lanes.delete(lane.key);
  }

  /** What was not begun is not settled, so it is the broker's. */
  private dropQueued(lane: Lane): void {
    if (lane.state === 'running') return;
    this.drop(lane);
    lane.state = 'idle';
  }

  private drop(lane: Lane): void {
    for (const work of [...lane.queue, ...lane.arriving]) this.holdings.release(work);
    lane.stop();
    this.parking.leave(lane);
  }

  private async giveUp(partition: ServedPartition): Promise<void> {
    partition.closing = true;
    for (const lane of partition.all()) this.dropQueued(lane);
    const late = AbortSignal.timeout(this.hub.config.consumers.revokeTimeoutMs);
    await this.ended(partition, AbortSignal.any([late, this.stopping.signal]));
    this.empty(partition);
  }

  /** From here on nothing of it is settled. */
  private empty(partition: ServedPartition): void {
    partition.revoked = true;
    for (const lane of partition.all()) this.drop(lane);
  }

  /** Waits until no attempt runs in the partition; those that do not end in time are aborted and abandoned. */
  private async ended(partition: ServedPartition, limit: AbortSignal): Promise<void> {
    const running = [...partition.all()].filter(lane => lane.state === 'running' || lane.storing !== undefined);
    const late = new Promise<true>(resolve => {
      limit.addEventListener('abort', () => resolve(true), { once: true });
      if (limit.aborted) resolve(true);
    });
    const abandoned = await Promise.race([
      Promise.all(running.map(lane => Promise.all([lane.whenEnded(), lane.storing ?? Promise.resolve()]))).then(
        () => false,
      ),
      late,
    ]);
    if (!abandoned) return;
    partition.revoked = true;
    for (const lane of running) lane.abort?.abort(limit.reason);
  }
}

const leastReadable = 8 * 1024 * 1024;

/** For a group that is joined only when the app has ended. */
const lastMs = 5_000;

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;
