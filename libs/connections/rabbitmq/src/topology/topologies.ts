import type { ChannelModel } from 'amqplib';
import { RabbitmqUnavailableError } from '../errors.js';
import type { Link } from '../link/link.js';
import { declare } from './declare.js';
import type { Topology } from './topology.js';

/** What has been declared, to be declared again on each connection. */
export class Topologies {
  private readonly all: Topology[] = [];

  constructor(private readonly link: Link) {
    link.join({ up: model => this.again(model) });
  }

  async add(topology: Topology): Promise<void> {
    this.all.push(topology);
    try {
      const model = await this.link.whenUp(this.link.config.commandTimeoutMs);
      await this.declare(topology, model);
    } catch (error) {
      if (!(error instanceof RabbitmqUnavailableError)) this.all.splice(this.all.indexOf(topology), 1);
      throw error;
    }
  }

  private async again(model: ChannelModel): Promise<void> {
    const { at } = this.link;
    for (const topology of this.all)
      try {
        await this.declare(topology, model);
      } catch (error) {
        // Somebody else changed it meanwhile: what is as it was works on.
        at.logger.error({ msg: `${at.id}: ${(error as Error).message}`, connection: at.id, err: error });
      }
  }

  private declare(topology: Topology, model: ChannelModel): Promise<void> {
    return this.link.withChannel(
      'declare the topology',
      channel => declare(channel, topology, this.link.config.queuePrefix),
      model,
    );
  }
}
