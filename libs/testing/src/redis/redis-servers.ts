import { startServer } from '../dev-services/service.start.js';
import type { ServerHost } from '../dev-services/server.host.js';
import type { ServiceDefinition } from '../dev-services/service.definition.js';
import { ServiceStateError } from '../errors.js';
import type { Redis } from 'ioredis';
import { withRedis } from './redis.admin.js';

/** Several servers that work together, each known by its port. */
export class RedisServers {
  readonly #hosts: Map<number, ServerHost>;
  readonly #killed = new Set<number>();

  private constructor(hosts: readonly ServerHost[]) {
    this.#hosts = new Map(hosts.map(host => [host.port ?? 0, host]));
  }

  /** Starts them side by side; when one does not come up, none stays. */
  static async start(definitions: readonly ServiceDefinition[]): Promise<RedisServers> {
    const results = await Promise.allSettled(
      definitions.map(definition => startServer(definition, { kind: 'private' })),
    );
    const servers = new RedisServers(
      results.flatMap(result => (result.status === 'fulfilled' ? [result.value.host] : [])),
    );
    const failed = results.find(result => result.status === 'rejected');
    if (!failed) return servers;
    await servers.dispose();
    throw failed.reason;
  }

  /** The addresses of all, in the order of their definitions. */
  get urls(): string[] {
    return [...this.#hosts.values()].map(({ url }) => url);
  }

  get ports(): number[] {
    return [...this.#hosts.keys()];
  }

  /** The addresses of those that have not been killed or stopped. */
  get running(): string[] {
    return this.ports.filter(port => !this.#killed.has(port)).map(port => this.#at(port).url);
  }

  isRunning(port: number): boolean {
    return this.#hosts.has(port) && !this.#killed.has(port);
  }

  /** What the first one that runs and answers says. */
  async askAny<Answer>(question: (client: Redis) => Promise<Answer>): Promise<Answer> {
    let reason: unknown = new ServiceStateError('None of the servers runs.', 'Start one of them.');
    for (const url of this.running) {
      try {
        return await withRedis(url, question);
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }

  async kill(port: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (signal === 'SIGCONT') this.#killed.delete(port);
    else this.#killed.add(port);
    await this.#at(port).kill(signal);
  }

  async startAgain(port: number): Promise<void> {
    await this.#at(port).start();
    this.#killed.delete(port);
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(host => host.end()));
  }

  #at(port: number): ServerHost {
    const host = this.#hosts.get(port);
    if (host) return host;
    throw new ServiceStateError(`No server has port ${port}.`, `The ports are ${this.ports.join(', ')}.`);
  }
}
