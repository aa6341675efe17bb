import { bootLogged, failure } from '@core-infra/testing';
import { ConfigModule } from '@core-infra/config';
import { KafkaModule, type KafkaOptions } from '@core-infra/kafka';

const inProduction = (options: KafkaOptions) =>
  bootLogged(
    ConfigModule.forRoot({ root: '/nowhere', env: {}, argv: [], watch: false, environment: 'production' }),
    KafkaModule.forRoot(options),
  );

describe('a connection of a production app', () => {
  it('without a login and without TLS is warned about', async () => {
    await using up = await inProduction({ brokers: ['127.0.0.1:1', 'kafka.invalid:9092'] });
    const warnings = up.logger.matching(/without a login and without TLS, though it leaves this host/);
    expect(warnings.map(({ level }) => level)).toEqual(['warn']);
  });

  it('is refused with requireSecure', async () => {
    const error = await failure(inProduction({ brokers: ['kafka.invalid:9092'], requireSecure: true }));
    expect(error).toMatchObject({ code: 'INFRA_KAFKA_INSECURE' });
    expect(error.message).toContain('kafka goes to kafka.invalid:9092 without a login');
  });

  it('with both is not', async () => {
    await using up = await inProduction({
      brokers: ['127.0.0.1:1'],
      securityProtocol: 'SASL_SSL',
      requireSecure: true,
      sasl: { mechanism: 'PLAIN', username: 'app', password: 'secret' },
    });
    expect(up.logger.matching(/without/)).toEqual([]);
  });
});

describe('a certificate', () => {
  it('that cannot be read is named by its field and its path, a key by its field alone', async () => {
    const of = (tls: KafkaOptions['tls']) =>
      failure(bootLogged(KafkaModule.forRoot({ brokers: ['127.0.0.1:1'], securityProtocol: 'SSL', tls })));
    const ca = await of({ ca: '/nowhere/ca.pem' });
    expect(ca).toMatchObject({ code: 'INFRA_KAFKA_TLS_FILE', field: 'ca', path: '/nowhere/ca.pem' });
    expect(ca.message).toContain('ENOENT');
    const key = await of({ cert: '-----BEGIN CERTIFICATE-----', key: '/nowhere/key.pem' });
    expect(key).toMatchObject({ code: 'INFRA_KAFKA_TLS_FILE', field: 'key' });
    expect(key.message).not.toContain('/nowhere');
  });
});
