import { join } from 'node:path';
import { type Child, runChild } from '@core-infra/testing';

export type Role = 'producer' | 'relay' | 'worker' | 'hasty';

const shop = join(__dirname, '../fixtures/shop.main.ts');

/** Processes of the shop, each replaced as soon as it is killed. */
export class Troupe implements AsyncDisposable {
  private readonly members: { readonly role: Role; child: Child }[] = [];
  private closing = false;

  constructor(private readonly env: Record<string, string>) {}

  /** Resolves when it listens. */
  async add(role: Role): Promise<void> {
    const member = { role, child: this.spawn(role) };
    this.members.push(member);
    await member.child.waitForLine(/Listening on/);
  }

  /** Kills one of this role at once, and lets another take its place. */
  async kill(role: Role): Promise<void> {
    const candidates = this.members.filter(member => member.role === role);
    const member = candidates[Math.floor(Math.random() * candidates.length)]!;
    member.child.kill('SIGKILL');
    await member.child.exit;
    if (!this.closing) member.child = this.spawn(role);
  }

  /** Ends those of a role in order. */
  async end(role: Role): Promise<void> {
    const leaving = this.members.filter(member => member.role === role);
    for (const { child } of leaving) child.kill('SIGTERM');
    await Promise.all(leaving.map(({ child }) => child.exit));
    for (const member of leaving) this.members.splice(this.members.indexOf(member), 1);
  }

  /** Brings back who did not survive his start, e.g. since the database was away. */
  async mend(): Promise<void> {
    for (const member of this.members)
      if (member.child.process.exitCode !== null || member.child.process.signalCode !== null)
        member.child = this.spawn(member.role);
    await Promise.all(this.members.map(({ child }) => child.waitForLine(/Listening on/)));
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

  private spawn(role: Role): Child {
    return runChild(shop, {
      env: { ...this.env, ROLE: role, NODE_ENV: 'test', HTTP_PORT: '0', LOG_LEVEL: 'info', NODE_COMPILE_CACHE: '' },
    });
  }
}
