import { Module } from '@nestjs/common';
import {
  AppState,
  type ConnectionStage,
  connectionStages,
  Connections,
  ConnectionConfig,
  defineConcern,
  type Opened,
} from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { IsIn } from 'class-validator';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { once } from 'node:events';
import { boot, closeApps, makeConcerns, refusal } from './fixtures/concerns.js';

afterEach(closeApps);

const never = () => new Promise<never>(() => undefined);

/** A concern with one driver, of which only the steps matter. */
function oneConcern(
  name: string,
  opened: Omit<Opened<object>, 'client'>,
  startup: 'require' | 'background' = 'require',
) {
  abstract class Port {}
  class Config extends ConnectionConfig {
    @IsIn(['only']) driver: 'only' = 'only';
    override startup: 'require' | 'background' = startup;
  }
  const concern = defineConcern({
    name,
    port: Port,
    config: Config,
    drivers: { only: () => ({ client: {}, ...opened }) },
  });
  @Module({})
  class ConcernModule extends concern.ConcernModule {}
  return ConcernModule;
}

describe('a boot that fails', () => {
  it('closes what it had opened, also what opens after the failure', async () => {
    const seen: string[] = [];
    let openSlow!: () => void;
    const slow = oneConcern('slow', {
      connect: () => new Promise<void>(resolve => (openSlow = resolve)),
      close: () => seen.push('close slow'),
    });
    const fast = oneConcern('fast', { close: () => seen.push('close fast') });
    const bad = oneConcern('bad', {
      connect: () => {
        throw new Error('wrong password');
      },
      close: () => seen.push('close bad'),
    });
    const error = await refusal([fast.forRoot(), slow.forRoot(), bad.forRoot()]);
    expect(error).toMatchObject({ code: 'INFRA_CONNECT_FAILED', connection: 'bad' });
    expect(error.message).toContain('wrong password');
    openSlow();
    await eventually(() => expect([...seen].sort()).toEqual(['close bad', 'close fast', 'close slow']));
  });

  it('names the connection, its address, the cause and the fix', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const gone = oneConcern('gone', { address: `tcp://127.0.0.1:${port}`, connect: () => reach(port) });
    const error = await refusal([gone.forRoot({ connectTimeoutMs: 300 })]);
    expect(error.message).toMatch(
      new RegExp(
        `gone at tcp://127.0.0.1:${port} could not be opened: .*ECONNREFUSED.*connectTimeoutMs, 300 ms.*section "gone".*startup: 'background'`,
      ),
    );
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('gives up on a server that never answers', async () => {
    const hung = oneConcern('hung', { connect: never });
    expect((await refusal([hung.forRoot({ connectTimeoutMs: 50 })])).message).toContain('did not connect within 50 ms');
  });
});

/** Resolves once a TCP connection to the port stands. */
async function reach(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

describe("startup: 'require'", () => {
  it('waits for a server that comes while the boot has time', async () => {
    let attempts = 0;
    const late = oneConcern('late', {
      connect: () => {
        attempts += 1;
        if (attempts < 3) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
      },
    });
    const app = await boot([late.forRoot()]);
    expect(attempts).toBe(3);
    expect(app.get(Connections).list()).toMatchObject([{ id: 'late', state: 'open' }]);
  });
});

describe("startup: 'background'", () => {
  it('boots without the server and connects when that comes, 5 s later', async () => {
    const reserved = createServer().listen(0, '127.0.0.1');
    await once(reserved, 'listening');
    const { port } = reserved.address() as AddressInfo;
    reserved.close();
    await once(reserved, 'close');
    const module = oneConcern('later', { connect: () => reach(port) }, 'background');
    const app = await boot([module.forRoot()]);
    const connections = app.get(Connections);
    expect(connections.list()).toMatchObject([{ state: 'connecting' }]);
    await expect(connections.checks()[0]!.run()).rejects.toMatchObject({ code: 'INFRA_NOT_CONNECTED' });
    let server: Server | undefined;
    setTimeout(() => (server = createServer(socket => socket.destroy()).listen(port, '127.0.0.1')), 5_000);
    await eventually(() => expect(connections.list()).toMatchObject([{ state: 'open' }]), { timeoutMs: 20_000 });
    await expect(connections.checks()[0]!.run()).resolves.toBeUndefined();
    server!.close();
  });

  it('stops trying when the app closes', async () => {
    let attempts = 0;
    const module = oneConcern(
      'away',
      {
        connect: () => {
          attempts += 1;
          throw new Error('away');
        },
      },
      'background',
    );
    const app = await boot([module.forRoot()]);
    await eventually(() => expect(attempts).toBeGreaterThan(1));
    await app.close();
    const atClose = attempts;
    await new Promise(resolve => setImmediate(resolve));
    expect(attempts).toBe(atClose);
  });
});

describe('checks', () => {
  it('abandon one that never answers, within its budget, and tell it so', async () => {
    let told: unknown;
    const module = oneConcern('mute', {
      check: signal => {
        signal.addEventListener('abort', () => (told = signal.reason));
        return never();
      },
    });
    const app = await boot([module.forRoot({ checkTimeoutMs: 30 })]);
    await expect(app.get(Connections).checks()[0]!.run()).rejects.toMatchObject({
      code: 'INFRA_STEP_TIMEOUT',
      step: 'check',
      budgetMs: 30,
    });
    expect(told).toMatchObject({ code: 'INFRA_STEP_TIMEOUT' });
  });

  it('are several for a client with several parts, by name', async () => {
    const module = oneConcern('broker', {
      check: { producer: () => ({ ok: 1 }), consumer: () => Promise.reject(new Error('lag')) },
    });
    const app = await boot([module.forRoot()]);
    const [producer, consumer] = app.get(Connections).checks();
    expect([producer!.name, consumer!.name]).toEqual(['broker-producer', 'broker-consumer']);
    await expect(producer!.run()).resolves.toEqual({ ok: 1 });
    await expect(consumer!.run()).rejects.toThrow('lag');
  });
});

describe('shutdown', () => {
  it('abandons a close that hangs, names it, and closes the rest', async () => {
    const seen: string[] = [];
    const hung = oneConcern('hung', { close: never });
    const fine = oneConcern('fine', { close: () => seen.push('fine') });
    const app = await boot([hung.forRoot({ shutdownTimeoutMs: 40 }), fine.forRoot()]);
    const connections = app.get(Connections);
    await app.close();
    expect(seen).toEqual(['fine']);
    expect(connections.shutdownReport).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: 'hung', outcome: 'abandoned' }),
        expect.objectContaining({ id: 'fine', outcome: 'done' }),
      ]),
    );
  });

  it('closes independent connections side by side', async () => {
    const both = { open: 0 };
    let release!: () => void;
    const together = new Promise<void>(resolve => (release = resolve));
    const close = async () => {
      both.open += 1;
      if (both.open === 2) release();
      await together; // would never end were the other closed only afterwards
    };
    const app = await boot([oneConcern('left', { close }).forRoot(), oneConcern('right', { close }).forRoot()]);
    const connections = app.get(Connections);
    await app.close();
    expect(connections.shutdownReport.map(step => step.outcome)).toEqual(['done', 'done']);
  });

  it('drains everything before it closes anything', async () => {
    const { StoreModule, log } = makeConcerns();
    const app = await boot([
      StoreModule.forRoot({ url: 'net://a' }),
      StoreModule.forRoot({ name: 'b', url: 'net://b' }),
    ]);
    const state = app.get(AppState);
    expect(state.phase).toBe('running');
    await app.close();
    expect(log.slice(2).map(line => line.split(' ')[0])).toEqual(['drain', 'drain', 'close', 'close']);
    expect(state.phase).toBe('closed');
  });
});

describe('the channel infra:connection', () => {
  it('tells of each stage, with its failure', async () => {
    const seen: string[] = [];
    const listener = (message: unknown) => {
      const { id, stage, error } = message as ConnectionStage & { error?: Error };
      if (id.startsWith('traced')) seen.push(`${id} ${stage}${error ? ' failed' : ''}`);
    };
    connectionStages.asyncEnd.subscribe(listener);
    const app = await boot([
      oneConcern('traced', {
        connect: () => undefined,
        check: () => Promise.reject(new Error('no')),
        close: () => undefined,
      }).forRoot(),
    ]);
    await app
      .get(Connections)
      .checks()[0]!
      .run()
      .catch(() => undefined);
    await app.close();
    connectionStages.asyncEnd.unsubscribe(listener);
    expect(seen).toEqual(['traced open', 'traced check failed', 'traced close']);
  });
});
