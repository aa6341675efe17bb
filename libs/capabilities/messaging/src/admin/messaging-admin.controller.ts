import { Body, Get, Header, HttpCode, Inject, Logger, Optional, Param, Post, Query } from '@nestjs/common';
import { RequestContext } from '@core-infra/kernel';
import type { EventBus } from '../bus/event-bus.js';
import { hubOf } from '../bus/open-bus.js';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { TopicBacklog } from '../driver/message-driver.js';
import { DeadLetterDesk } from './dead-letter-desk.js';
import { type LetterView, summaryOf, wholeOf } from './letter-view.js';
import { filterOf, limitOf, type Order, orderOf } from './request.js';

/** Which bus a mounted admin module is of. */
export const ADMIN_BUS = Symbol('core-infra:messaging admin');

/** How long one request may take with the stores and the broker, in milliseconds. */
const limitMs = 60_000;
/** How long a replay goes on, in milliseconds: what is in front of an app often waits for 30 s, and the caller is to learn what was done. */
const replayMs = 20_000;

interface GroupBacklog {
  readonly group: string;
  /** What waits at the broker; `undefined` while it cannot tell. */
  readonly topics?: readonly TopicBacklog[];
  readonly inFlight: number;
  readonly pausedBy: readonly string[];
  readonly trouble?: string;
}

/** The routes of the admin module; it is mounted, with its path and its guards, by `MessagingAdminModule`. */
export class MessagingAdminController {
  private readonly hub: MessagingHub;
  private readonly desk: DeadLetterDesk;
  private readonly logger = new Logger('MessagingAdmin');

  constructor(
    @Inject(ADMIN_BUS) bus: EventBus,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {
    this.hub = hubOf(bus);
    this.desk = new DeadLetterDesk(this.hub);
  }

  /** Oldest first; `next` is the `after` of the next page. */
  @Get('dead-letters')
  @Header('cache-control', 'no-store')
  async list(
    @Query() query: Readonly<Record<string, unknown>>,
  ): Promise<{ deadLetters: readonly LetterView[]; next?: string }> {
    const { limit: wanted, after, ...filter } = query;
    const limit = limitOf(wanted, 50);
    const page = { limit, ...(typeof after === 'string' && { after }) };
    const letters = await this.desk.list(filterOf(filter), page, this.signal);
    return {
      deadLetters: letters.map(summaryOf),
      ...(letters.length === limit && { next: letters.at(-1)!.id }),
    };
  }

  @Get('dead-letters/:id')
  @Header('cache-control', 'no-store')
  async get(@Param('id') id: string): Promise<LetterView> {
    return wholeOf(await this.desk.get(id, this.signal));
  }

  @Post('dead-letters/replay')
  @HttpCode(200)
  async replay(@Body() body: unknown): Promise<object> {
    const order = orderOf(body);
    if (order.dryRun) return this.rehearse(order);
    const { perSecond, selection } = order;
    const pace = perSecond === undefined ? {} : { perSecond };
    const { replayed, gone, refused, unfinished } = await this.desk.replay(selection, {
      ...pace,
      stopAfterMs: this.replayMs,
      signal: this.signal,
    });
    this.tell('replayed', replayed + gone);
    return {
      replayed,
      ...(gone > 0 && { gone }),
      refused: refused.map(({ id, error }) => ({ id, error: error.message })),
      ...(unfinished && { unfinished }),
    };
  }

  @Post('dead-letters/discard')
  @HttpCode(200)
  async discard(@Body() body: unknown): Promise<object> {
    const order = orderOf(body);
    if (order.dryRun) return this.rehearse(order);
    const discarded = await this.desk.discard(order.selection, this.signal);
    this.tell('discarded', discarded);
    return { discarded };
  }

  /** What waits at the broker for the groups of this process, what is parked, and what is dead. */
  @Get('backlog')
  @Header('cache-control', 'no-store')
  async backlog(): Promise<object> {
    const { signal } = this;
    const { members, stores, driver } = this.hub;
    const groups = await Promise.all(
      [...members].map(async (member): Promise<GroupBacklog> => {
        const { inFlight, pausedBy, trouble } = member.state;
        const topics = await member.backlog(signal).catch((error: Error) => error);
        const problem = topics instanceof Error ? topics : trouble;
        return {
          group: member.group,
          inFlight,
          pausedBy,
          ...(!(topics instanceof Error) && { topics }),
          ...(problem && { trouble: problem.message }),
        };
      }),
    );
    const parked = await (stores.parking ?? driver.parking)?.size(undefined, signal);
    return { groups, ...(parked && { parked }), deadLetters: await this.desk.count({}, signal) };
  }

  private get signal(): AbortSignal {
    const limit = AbortSignal.timeout(limitMs);
    const { signal } = this.context.current ?? {};
    return signal ? AbortSignal.any([signal, limit]) : limit;
  }

  /** Half of what a caller waits for, if that is less. */
  private get replayMs(): number {
    const { deadline } = this.context.current ?? {};
    return deadline === undefined ? replayMs : Math.min(replayMs, (deadline - this.hub.site.clock.now()) / 2);
  }

  private async rehearse({ selection }: Order): Promise<object> {
    const deadLetters: LetterView[] = [];
    for await (const page of this.desk.select(selection, this.signal)) deadLetters.push(...page.map(summaryOf));
    return { dryRun: true, deadLetters };
  }

  private tell(what: string, count: number): void {
    if (count > 0)
      this.logger.log(`${count} dead letters were ${what}`, { by: this.context.current?.userId ?? 'unknown', count });
  }
}
