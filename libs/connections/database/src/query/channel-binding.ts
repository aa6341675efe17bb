import { Client, type ClientConfig } from 'pg';
import { ChannelBindingError } from '../errors.js';

interface Protocol {
  listeners(event: string): ((message: unknown) => void)[];
  removeAllListeners(event: string): void;
  on(event: string, listener: (message: unknown) => void): void;
  emit(event: 'error', error: Error): void;
  readonly stream: { destroy(): void };
}

type ClientClass = new (options?: ClientConfig) => Client;

/**
 * A client that logs in by SCRAM bound to the TLS channel or not at all, as libpq with `channel_binding=require`: pg itself
 * takes what the server offers. A password is sent in no other way.
 */
export function bindingClient(Base: ClientClass, connection: string): ClientClass {
  return class extends Base {
    override connect(): Promise<Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<Client> | void {
      const connecting = callback ? super.connect(callback) : super.connect();
      const protocol = this.connection as unknown as Protocol;
      const refuse = () => {
        protocol.emit('error', new ChannelBindingError(connection));
        protocol.stream.destroy();
      };
      let bound = false;
      const regular = protocol.listeners('authenticationSASL');
      for (const event of ['authenticationSASL', 'authenticationCleartextPassword', 'authenticationMD5Password'])
        protocol.removeAllListeners(event);
      protocol.on('authenticationSASL', message => {
        bound = (message as { mechanisms: string[] }).mechanisms.includes('SCRAM-SHA-256-PLUS');
        if (bound) for (const listener of regular) listener(message);
        else refuse();
      });
      protocol.on('authenticationCleartextPassword', refuse);
      protocol.on('authenticationMD5Password', refuse);
      protocol.on('authenticationOk', () => void (bound || refuse()));
      return connecting;
    }
  };
}
