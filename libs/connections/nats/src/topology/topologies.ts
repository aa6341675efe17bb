import { within } from '../link/deadline.js';
import { NatsTimeoutError, NatsUnavailableError } from '../errors.js';
import type { Link } from '../link/link.js';
import { declare } from './declare.js';
import type { NatsTopology, TopologyOptions } from './topology.js';

interface Declared {
  readonly topology: NatsTopology;
  readonly options: TopologyOptions;
}

/** What has been declared, to be declared again after each reconnection: a stream in memory goes with its server. */
export class Topologies {
  private readonly all: Declared[] = [];
  /** Resolves when all of it was declared again after the last reconnection, or could not be. */
  redeclared: Promise<void> = Promise.resolve();

  constructor(private readonly link: Link) {
    link.onChange(isUp => {
      if (isUp) this.redeclared = this.again();
    });
  }

  async add(topology: NatsTopology, options: TopologyOptions): Promise<void> {
    const declared = { topology, options };
    try {
      await this.link.whenUp(this.link.config.commandTimeoutMs);
      await this.declare(declared);
    } catch (error) {
      // Declared when the server is reached.
      if (error instanceof NatsUnavailableError) this.all.push(declared);
      throw error;
    }
    this.all.push(declared);
  }

  private async again(): Promise<void> {
    const { at } = this.link;
    for (const declared of this.all)
      try {
        await this.declare(declared);
      } catch (error) {
        if (!this.link.isUp) return; // and again with the next one
        // Somebody else changed it meanwhile: what is as it was works on.
        at.logger.error({ msg: `${at.id}: ${(error as Error).message}`, connection: at.id, err: error });
      }
  }

  private async declare({ topology, options }: Declared): Promise<void> {
    const { at, config } = this.link;
    const { length } = [...(topology.streams ?? []), ...(topology.consumers ?? [])];
    const timeoutMs = config.commandTimeoutMs * Math.max(1, length);
    const manager = await this.link.manager();
    const work = declare(manager, topology, options);
    try {
      await within(timeoutMs, work, () => new NatsTimeoutError(at.id, 'declare the topology', timeoutMs));
    } catch (error) {
      throw this.link.isUp ? error : this.link.unavailable(error);
    }
  }
}
