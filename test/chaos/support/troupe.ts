import { join } from 'node:path';
import { type Child, type ChildExit, runChild } from '@core-infra/testing';

export type Role = 'producer' | 'filler' | 'relay' | 'worker' | 'hasty' | 'shipper' | 'slow';

interface Member {
  readonly role: Role;
  child: Child;
}

const shop = join(__dirname, '../fixtures/shop.main.ts');
const LISTENS = /Listening on/;

/** Processes of the shop, each replaced as soon as it is killed. */
export class Troupe implements AsyncDisposable {
  private readonly members: Member[] = [];
  private closing = false;

  constructor(readonly env: Record<string, string>) {}

  /** Resolves when it listens. */
  async add(role: Role): Promise<Child> {
    const member = { role, child: this.spawn(role) };
    this.members.push(member);
    await member.child.waitForLine(LISTENS);
    return member.child;
  }

  /** Two workers, two relays and a producer; the first makes the tables. */
  async perform(worker: Role = 'worker'): Promise<void> {
    await this.add(worker);
    await Promise.all([this.add(worker), this.add('relay'), this.add('relay')]);
    await this.add('producer');
  }

  /** Kills one of this role at once, and lets another take its place. */
  async kill(role: Role): Promise<void> {
    const candidates = this.of(role);
    const member = candidates[Math.floor(Math.random() * candidates.length)]!;
    member.child.kill('SIGKILL');
    await member.child.exit;
    if (!this.closing) member.child = this.spawn(role);
  }

  /** Ends each of a role in order, one after the other, as soon as its successor listens. */
  async roll(role: Role): Promise<ChildExit[]> {
    const exits: ChildExit[] = [];
    for (const member of this.of(role)) {
      const leaving = member.child;
      member.child = this.spawn(role);
      await member.child.waitForLine(LISTENS);
      leaving.kill('SIGTERM');
      exits.push(await leaving.exit);
    }
    return exits;
  }

  /** Ends those of a role in order, or so many of them. */
  async end(role: Role, count = Infinity): Promise<ChildExit[]> {
    const leaving = this.of(role).slice(0, count);
    for (const { child } of leaving) child.kill('SIGTERM');
    const exits = await Promise.all(leaving.map(({ child }) => child.exit));
    for (const member of leaving) this.members.splice(this.members.indexOf(member), 1);
    return exits;
  }

  /** Brings back who did not survive his start, e.g. since the database was away. */
  async mend(): Promise<void> {
    for (const member of this.members)
      if (member.child.process.exitCode !== null || member.child.process.signalCode !== null)
        member.child = this.spawn(member.role);
    await Promise.all(this.members.map(({ child }) => child.waitForLine(LISTENS)));
  }

  /** The last lines of each, for who wonders. */
  get story(): string {
    return this.members
      .map(({ role, child }) => `${role} ${child.pid}:\n${child.lines.slice(-5).join('\n')}`)
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closing = true;
    for (const { child } of this.members) child.kill('SIGKILL');
    await Promise.all(this.members.map(({ child }) => child.exit));
  }

  private of(role: Role): Member[] {
    return this.members.filter(member => member.role === role);
  }

  private spawn(role: Role): Child {
    return runChild(shop, {
      ...(role === 'slow' && { execArgv: ['--expose-gc'] }),
      env: { ...this.env, ROLE: role, NODE_ENV: 'test', HTTP_PORT: '0', LOG_LEVEL: 'info', NODE_COMPILE_CACHE: '' },
    });
  }
}
