import { join } from 'node:path';
import { type Child, type ChildExit, eventually, runChild } from '@core-infra/testing';
import type { Role } from '../fixtures/shop/role.js';
import { within } from './within.js';

/** Who plays what: one role, or several in one process. */
export type Cast = Role | `${Role},${string}`;

interface Member {
  readonly cast: Cast;
  child: Child;
}

const shop = join(__dirname, '../fixtures/shop.main.cjs');
const LISTENS = /Listening on/;

/** Processes of the shop, each replaced as soon as it is killed. */
export class Troupe implements AsyncDisposable {
  private readonly members: Member[] = [];
  private closing = false;

  constructor(readonly env: Record<string, string>) {}

  /** Resolves when it listens. */
  async add(cast: Cast): Promise<Child> {
    const member = { cast, child: this.spawn(cast) };
    this.members.push(member);
    await this.listening(member);
    return member.child;
  }

  /** So many workers, two relays and a producer; the first makes the tables. */
  async perform(workers = 2): Promise<void> {
    await this.add('worker');
    await Promise.all([
      ...Array.from({ length: workers - 1 }, () => this.add('worker')),
      this.add('relay'),
      this.add('relay'),
      this.add('producer'),
    ]);
  }

  /** Kills one at once, and lets another take its place: one who listens, where there is one. */
  async kill(cast: Cast, random: () => number = Math.random): Promise<void> {
    const all = this.of(cast);
    const ready = all.filter(({ child }) => isAlive(child) && child.lines.some(line => LISTENS.test(line)));
    const candidates = ready.length > 0 ? ready : all;
    const member = candidates[Math.floor(random() * candidates.length)]!;
    member.child.kill('SIGKILL');
    await within(() => `${cast} ${member.child.pid} to be gone after SIGKILL`, member.child.exit);
    if (!this.closing) member.child = this.spawn(cast);
  }

  /** Ends each that plays this in order, one after the other, as soon as its successor listens. */
  async roll(cast: Cast): Promise<ChildExit[]> {
    const exits: ChildExit[] = [];
    for (const member of this.of(cast)) {
      const leaving = member.child;
      member.child = this.spawn(cast);
      await this.listening(member);
      leaving.kill('SIGTERM');
      exits.push(await this.ended(member, leaving));
    }
    return exits;
  }

  /** Ends those that play this in order, or so many of them. */
  async end(cast: Cast, count = Infinity): Promise<ChildExit[]> {
    const leaving = this.of(cast).slice(0, count);
    for (const { child } of leaving) child.kill('SIGTERM');
    const exits = await Promise.all(leaving.map(member => this.ended(member, member.child)));
    for (const member of leaving) this.members.splice(this.members.indexOf(member), 1);
    return exits;
  }

  /** Nothing more is published until {@link resume}; resolves when that is so. */
  async pause(): Promise<void> {
    const publishers = this.publishers();
    const pauses = ({ child }: Member): number => child.lines.filter(line => line === 'pauses').length;
    const before = publishers.map(pauses);
    for (const { child } of publishers) child.kill('SIGUSR2');
    const all = (): void => {
      const active = publishers.filter((publisher, at) => pauses(publisher) === before[at]);
      if (active.length > 0) throw new Error(`Waited for publishers to pause: ${pidsOf(active)}\n${this.story}`);
    };
    await eventually(all, { timeoutMs: 120_000 });
  }

  resume(): void {
    for (const { child } of this.publishers()) child.kill('SIGCONT');
  }

  /** Brings back who did not survive his start, e.g. since the database was away; does not wait for them. */
  mend(): void {
    for (const member of this.members) if (!isAlive(member.child)) member.child = this.spawn(member.cast);
  }

  /** Resolves when all listen; who has died on the way is brought back. */
  async ready(): Promise<void> {
    for (let tries = 5; tries > 0; tries -= 1) {
      this.mend();
      const all = await Promise.allSettled(this.members.map(member => this.listening(member)));
      if (all.every(({ status }) => status === 'fulfilled')) return;
    }
    throw new Error(`Some do not come up:\n${this.story}`);
  }

  /** The last lines of each, for who wonders. */
  get story(): string {
    return this.members
      .map(({ cast, child }) => `${cast} ${child.pid}:\n${child.lines.slice(-5).join('\n')}`)
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closing = true;
    for (const { child } of this.members) child.kill('SIGKILL');
    await Promise.all(this.members.map(({ child }) => child.exit));
  }

  private publishers(): Member[] {
    return this.members.filter(({ cast }) => cast.split(',').some(role => role === 'producer' || role === 'rash'));
  }

  private of(cast: Cast): Member[] {
    return this.members.filter(member => member.cast === cast);
  }

  private listening({ cast, child }: Member): Promise<unknown> {
    return within(() => `${cast} to listen\n${this.story}`, child.waitForLine(LISTENS));
  }

  private ended({ cast }: Member, child: Child): Promise<ChildExit> {
    return within(() => `${cast} to end after SIGTERM\n${child.lines.slice(-20).join('\n')}`, child.exit);
  }

  private spawn(cast: Cast): Child {
    return runChild(shop, {
      execArgv: ['--conditions=core-infra-source', ...(cast === 'slow' ? ['--expose-gc'] : [])],
      env: { ...this.env, ROLE: cast, NODE_ENV: 'test', HTTP_PORT: '0', LOG_LEVEL: 'info', NODE_COMPILE_CACHE: '' },
    });
  }
}

const isAlive = ({ process }: Child): boolean => process.exitCode === null && process.signalCode === null;

const pidsOf = (members: readonly Member[]): string => members.map(({ child }) => child.pid).join(', ');
