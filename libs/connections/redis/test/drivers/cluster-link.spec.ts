import { eventually } from '@core-infra/testing';
import { EventEmitter } from 'node:events';
import { ClusterLink } from '../../src/drivers/cluster-link.js';

type Tell = (error?: Error | null, failed?: string) => void;

/** As much of ioredis's cluster as is asked whether it is ready. */
class FakeCluster extends EventEmitter {
  status = 'connect';
  asked = 0;
  constructor(
    readonly statuses: readonly string[],
    readonly answers: readonly Parameters<Tell>[],
  ) {
    super();
  }
  nodes(): object[] {
    return this.statuses.map(status => ({ status }));
  }
  readyCheck(tell: Tell): void {
    tell(...this.answers[this.asked++]!);
  }
}

const refused = new Error('Connection is closed.');

function listened(statuses: readonly string[], answers: readonly Parameters<Tell>[]) {
  const cluster = new FakeCluster(statuses, answers);
  const reasons: string[] = [];
  new ClusterLink(cluster as never).listen(
    () => undefined,
    reason => reasons.push(reason),
  );
  const told: Parameters<Tell>[] = [];
  cluster.readyCheck((...answer) => told.push(answer));
  return { cluster, reasons, told };
}

describe('whether a cluster is ready', () => {
  it('is asked again while the node that refused is still being connected to', async () => {
    const { cluster, told } = listened(['connecting', 'ready'], [[refused], [refused], []]);
    await eventually(() => expect(told).toEqual([[undefined, undefined]]));
    expect(cluster.asked).toBe(3);
  });

  it('is not asked again when none is being connected to', () => {
    expect(listened(['ready', 'end'], [[refused]]).told).toEqual([[refused, undefined]]);
  });

  it('is why it is away when it says that it is not, whichever node failed before', () => {
    const { cluster, reasons } = listened(['ready'], [[null, 'fail']]);
    cluster.emit('close');
    expect(reasons).toEqual(['CLUSTERDOWN the cluster does not serve all slots']);
  });
});
