import { eventually } from '@core-infra/testing';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { createRequire } from 'node:module';
import { correctConnecting } from '../../src/drivers/kafkajs/connecting.js';

interface Connection {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  isConnected(): boolean;
}

describe('a connection of kafkajs', () => {
  let server: Server;
  const sockets: Socket[] = [];
  const nothing = () => undefined;
  const logger = { namespace: () => logger, debug: nothing, info: nothing, warn: nothing, error: nothing };
  const open = (): Connection => {
    const Class = createRequire(__filename)('kafkajs/src/network/connection') as new (options: object) => Connection;
    const { port } = server.address() as AddressInfo;
    const socketFactory = ({ onConnect }: { onConnect: () => void }) => {
      const socket = connect({ host: '127.0.0.1', port }, onConnect);
      sockets.push(socket);
      return socket;
    };
    return new Class({
      host: '127.0.0.1',
      port,
      logger,
      socketFactory,
      connectionTimeout: 5_000,
      requestTimeout: 5_000,
    });
  };

  beforeAll(async () => {
    correctConnecting();
    server = createServer(socket => socket.on('error', nothing)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => sockets.splice(0));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('is made once for all who ask for it together', async () => {
    const connection = open();
    await Promise.all([connection.connect(), connection.connect(), connection.connect()]);
    expect(sockets).toHaveLength(1);
    await connection.disconnect();
    expect(sockets[0]!.writableEnded).toBe(true);
    await connection.connect();
    expect(connection.isConnected()).toBe(true);
    expect(sockets).toHaveLength(2);
    await connection.disconnect();
  });

  it('is closed when it was to be closed before it was made', async () => {
    const connection = open();
    const attempt = connection.connect().catch(nothing);
    await connection.disconnect();
    await attempt;
    await eventually(() => expect(sockets.map(({ writableEnded }) => writableEnded)).toEqual(sockets.map(() => true)));
    expect(connection.isConnected()).toBe(false);
  });
});
