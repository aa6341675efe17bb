import { type RabbitmqClient, RabbitmqMissingError } from '@core-infra/rabbitmq';
import type { ConsumeRequest, Consumption, DeliverySink, TopicBacklog } from '../../driver/message-driver.js';
import type { ReceivedMessage } from '../../driver/message.js';
import { HeldQueue, type Mark } from './held-queue.js';
import { Refusals } from './refusals.js';
import { againQueue } from './names.js';
import type { PartitionQueue, QueueSets } from './queue-sets.js';
import type { RabbitmqParkingLot } from './rabbitmq.parking-lot.js';

/** How often a member looks whether it has its share of the partitions, in milliseconds. */
const TEND_EVERY_MS = 1_000;
/** How many messages are handed over in one turn of the event loop: what is done with them is told to the broker while the next are handled. */
const AT_ONCE = 64;
/** What a message is taken to have, as RabbitMQ counts by messages alone. */
const USUAL_BYTES = 64 * 1024;

/**
 * A member of a group. Each has as many partitions of a topic as make an equal share: how many members there are is how many consume what the group
 * gets again. Who has more than its share gives partitions up, who has less takes those that nobody has.
 */
export class Membership implements Consumption {
  private readonly held = new Map<string, HeldQueue>();
  private readonly isTasks: (topic: string) => boolean;
  private readonly unwatch: () => void;
  private paused = false;
  private stopped = false;
  /** Handed over, and neither settled nor released. */
  private handed = 0;
  private readonly refusals = new Refusals();
  private deferred: ReceivedMessage[] = [];
  private timer?: NodeJS.Timeout;
  private tending?: Promise<void>;
  private again = false;
  private first = 0;
  private scheduled = false;

  constructor(
    private readonly client: RabbitmqClient,
    private readonly sets: QueueSets,
    private readonly lot: RabbitmqParkingLot,
    private readonly request: ConsumeRequest,
    private readonly sink: DeliverySink,
  ) {
    const queues = new Set(request.queues);
    this.isTasks = topic => queues.has(topic);
    this.unwatch = client.onChange(() => void this.tend());
  }

  /** Looks after its share of the partitions, now and from time to time. Resolves when it has looked. */
  tend(): Promise<void> {
    this.again = this.tending !== undefined;
    return (this.tending ??= this.tendAll().finally(() => {
      this.tending = undefined;
      if (this.stopped) return;
      clearTimeout(this.timer);
      // Not all members at the same moment: two would take the same partitions.
      const pause = this.again ? 0 : TEND_EVERY_MS * (0.75 + Math.random() / 2);
      this.timer = setTimeout(() => void this.tend(), pause).unref();
    }));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    for (const message of this.deferred.splice(0)) this.giveBack(message);
    this.handOver();
  }

  settle(message: ReceivedMessage): void {
    const { queue, delivered } = message.mark as Mark;
    queue.settle(delivered);
    this.freed();
  }

  release(message: ReceivedMessage): void {
    this.freed();
    // A member that ends pauses before, and what it has goes back in order when its channels are closed.
    if (this.paused) this.deferred.push(message);
    else this.giveBack(message);
  }

  async backlog(): Promise<readonly TopicBacklog[]> {
    const { group, topics } = this.request;
    return Promise.all(
      topics.map(async topic => {
        const queues = await this.sets.ensure(group, topic, this.isTasks(topic));
        const again = this.client.queueName(againQueue(group, topic));
        const found = await this.look([again, ...queues.map(({ source }) => source)]);
        return { topic, messages: found.reduce((sum, { messageCount }) => sum + messageCount, 0) };
      }),
    );
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    this.unwatch();
    const gone = (async () => {
      await this.tending;
      await this.leave([...this.held.values()]);
    })();
    await Promise.race([gone, aborted(signal)]);
  }

  private async tendAll(): Promise<void> {
    try {
      for (const topic of this.request.topics) if (!this.stopped) await this.share(topic);
      this.sink.troubled(undefined);
    } catch (error) {
      if (error instanceof RabbitmqMissingError) this.sets.forget();
      if (!this.stopped) this.sink.troubled(error as Error);
    }
  }

  private async share(topic: string): Promise<void> {
    const { group } = this.request;
    const queues = await this.sets.ensure(group, topic, this.isTasks(topic));
    const count = queues.length;
    await this.sets.ensureAgain(group, topic);
    const shared = againQueue(group, topic);
    const again = this.client.queueName(shared);
    const names = queues.map(({ name }) => name);
    const [consumers, ...owners] = await this.look([again, ...queues.map(({ source }) => source)]);
    const members = (consumers?.consumerCount ?? 0) + (this.held.get(shared)?.isConsuming ? 0 : 1);
    const quota = Math.ceil(count / members);
    const mine = names.filter(name => this.held.has(name));
    const serving = mine.map(name => this.held.get(name)!).filter(({ leaving }) => !leaving);
    // Another system may consume what is its own: then whoever has the lock is the owner among members.
    const isFree = ({ name, isForeign }: PartitionQueue, number: number): boolean =>
      (isForeign || owners[number]?.consumerCount === 0) && !this.held.has(name) && this.refusals.mayTry(name);
    const wanted = rotated(queues.filter(isFree)).slice(0, Math.max(0, quota - mine.length));
    if (serving.length > quota) void this.leave(serving.slice(quota));
    const taken = wanted.map(
      ({ name, source }) => new HeldQueue(this.client, { topic, number: names.indexOf(name) }, name, source, false),
    );
    // What the group gets again has the number after the last of the partitions, with every member.
    if (!this.held.has(shared)) taken.push(new HeldQueue(this.client, { topic, number: count }, shared, again, true));
    if (taken.length > 0) await this.take(taken, count);
  }

  private async take(queues: readonly HeldQueue[], partitions: number): Promise<void> {
    for (const queue of queues) this.held.set(queue.name, queue);
    const taking = Promise.allSettled(queues.map(queue => this.open(queue, partitions)));
    const settled = taking.then(async results => {
      const open = queues.filter((_, at) => results[at]?.status === 'fulfilled' && results[at].value);
      const rest = queues.filter(queue => !open.includes(queue));
      await Promise.allSettled(rest.map(queue => this.drop(queue)));
      for (const { ref, name, isShared } of open) if (!isShared) this.lot.assigned(this.request.group, ref, name);
      await this.sink.assigned(open.map(({ ref }) => ref));
      for (const queue of open) queue.isServed = true;
      this.schedule();
    });
    for (const queue of queues) queue.taken = settled;
    // What the bus needs to know of a partition may take long; others can be looked after meanwhile.
    settled.catch((error: unknown) => this.sink.troubled(error as Error));
    const failed = (await taking).find(result => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async open(queue: HeldQueue, partitions: number): Promise<boolean> {
    const isFree = await queue.lock();
    this.refusals.note(queue.name, isFree);
    if (!isFree) return false;
    const { maxInFlight, maxBytesInFlight, topics } = this.request;
    // Messages that wait for another attempt must not keep the others out.
    const part = queue.isShared ? 1 / 4 / topics.length : 3 / 4 / topics.length / partitions;
    await queue.consume(
      Math.max(1, Math.floor(Math.min(maxInFlight, maxBytesInFlight / USUAL_BYTES) * part)),
      () => this.schedule(),
      () => void this.leave([queue]),
    );
    return true;
  }

  /** Gives queues up: what is at work ends or is abandoned before others get it. */
  private async leave(queues: readonly HeldQueue[]): Promise<void> {
    const going = queues.filter(queue => !queue.leaving && this.held.get(queue.name) === queue);
    const left = (async () => {
      await Promise.allSettled(going.map(({ taken }) => taken));
      for (const queue of going) queue.empty();
      await this.sink.revoked(going.map(({ ref }) => ref));
      await Promise.allSettled(going.map(queue => this.drop(queue)));
      if (!this.stopped) void this.tend();
    })();
    for (const queue of going) {
      queue.isServed = false;
      queue.leaving = left;
    }
    for (const { leaving } of queues) await leaving;
  }

  private async drop(queue: HeldQueue): Promise<void> {
    // Its lock must not stay when nobody serves it.
    for (;;) {
      try {
        if (!queue.isShared) await this.lot.revoked(this.request.group, queue.ref);
        await queue.end();
        break;
      } catch (error) {
        if (!this.client.isConnected) break;
        this.sink.troubled(error as Error);
        await new Promise(resolve => setTimeout(resolve, TEND_EVERY_MS).unref());
      }
    }
    this.held.delete(queue.name);
  }

  private freed(): void {
    this.handed -= 1;
    if (this.handed === this.request.maxInFlight - 1) this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.handOver();
    });
  }

  private handOver(): void {
    let turn = AT_ONCE;
    const queues = [...this.held.values()];
    // Each turn begins with another one, so that none waits for the others.
    const first = (this.first = (this.first + 1) % Math.max(1, queues.length));
    for (const queue of [...queues.slice(first), ...queues.slice(0, first)]) {
      const room = Math.min(turn, this.request.maxInFlight - this.handed);
      if (this.paused || this.stopped || room <= 0) break;
      if (!queue.isServed || !queue.hasWaiting) continue;
      const messages = queue.take(room);
      this.handed += messages.length;
      turn -= messages.length;
      this.sink.deliver(messages);
    }
    if (turn === 0) this.schedule();
  }

  private giveBack(message: ReceivedMessage): void {
    const { queue, delivered } = message.mark as Mark;
    // One that is given up gives its messages back with its channel, in their order.
    if (queue.isServed) delivered.nack();
  }

  private look(queues: readonly string[]) {
    return this.client.withChannel(channel => Promise.all(queues.map(queue => channel.checkQueue(queue))));
  }
}

/** Begins anywhere, so that members who look at the same moment do not want the same. */
function rotated<T>(all: readonly T[]): T[] {
  const from = Math.floor(Math.random() * all.length);
  return [...all.slice(from), ...all.slice(0, from)];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
