import { ConfigModule } from '@core-infra/config';
import { getKafkaToken, KafkaClient, KafkaConfig, KafkaModule } from '@core-infra/kafka';
import { assemble, ConfigError, ConfigSource, resolveConfig } from '@core-infra/kernel';
import { bootLogged, eventually, failure, uniqueName, useKafka } from '@core-infra/testing';

jest.setTimeout(60_000);

/** The module as configured by these variables alone. */
const from = (env: Record<string, string>, name?: string) =>
  bootLogged(
    ConfigModule.forRoot({ root: '/nowhere', env, argv: [], watch: false, environment: 'test' }),
    KafkaModule.forRootAsync({ name }),
  );
const problems = async (env: Record<string, string>) => {
  const error = await failure(from({ KAFKA_BROKERS: '127.0.0.1:1', ...env }));
  expect(error).toBeInstanceOf(ConfigError);
  return String(error);
};

describe('KafkaModule.forRootAsync() by the environment', () => {
  const kafka = useKafka();

  it.each(['KAFKA_BROKERS', 'KAFKA_BOOTSTRAP_SERVERS'])('%s, a list with commas', async name => {
    await using booted = await from({ [name]: `127.0.0.1:1,${kafka.brokers.join(',')}` });
    const client = booted.app.get(KafkaClient);
    await eventually(() => client.admin.topics());
  });

  it('a named connection: KAFKA__AUDIT__BROKERS', async () => {
    await using booted = await from({ KAFKA__AUDIT__BROKERS: kafka.brokers.join(',') }, 'audit');
    const client = booted.app.get<KafkaClient>(getKafkaToken('audit'));
    const topic = uniqueName('audited');
    expect(await eventually(() => client.admin.ensureTopics([{ topic, partitions: 1 }]))).toMatchObject([{ topic }]);
  });

  it('KAFKA_BATCH_SIZE in messages, KAFKA_DIAL_TIMEOUT in seconds, KAFKA_CONN_IDLE_TIME with a notice', async () => {
    await using booted = await from({
      KAFKA_BROKERS: kafka.brokers.join(','),
      KAFKA_CONN_IDLE_TIME: '20',
      KAFKA_DIAL_TIMEOUT: '3',
      KAFKA_BATCH_SIZE: '7',
    });
    expect(booted.logger.matching(/KAFKA_CONN_IDLE_TIME.*keeps its connections/)).toHaveLength(1);
    expect(booted.logger.matching(/KAFKA_DIAL_TIMEOUT|KAFKA_BATCH_SIZE/)).toEqual([]);
    const given = resolveConfig({ section: 'kafka', Config: KafkaConfig, given: {} }, booted.app.get(ConfigSource));
    expect(given).toMatchObject({ connectTimeoutMs: 3_000, batchSize: 7 });
    const { config } = assemble('kafka', KafkaConfig, []);
    expect(config).toMatchObject({ connectTimeoutMs: 15_000, batchSize: 100, startup: 'background', critical: false });
  });

  it.each([
    [{ KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' }, ['kafka.sasl.mechanism', 'securityProtocol is SASL_SSL']],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'app' },
      ['kafka.sasl.password', 'sasl.username'],
    ],
    [{ KAFKA_SASL_USERNAME: 'app', KAFKA_SASL_PASSWORD: 'hidden' }, ['kafka.sasl.mechanism', 'sasl.username is set']],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SASL_MECHANISM: 'plain' },
      ['kafka.securityProtocol', 'SASL_PLAINTEXT or SASL_SSL, as sasl.mechanism is set'],
    ],
    [{ KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_TLS_CERT: '/cert.pem' }, ['kafka.tls.key', 'tls.cert']],
    [{ KAFKA_TLS_CA: '/ca.pem' }, ['kafka.tls.enabled', 'tls.ca is set']],
    [
      { KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT', KAFKA_TLS_ENABLED: 'true' },
      ['kafka.securityProtocol', 'tls.enabled, which is true'],
    ],
    [{ KAFKA_SASL_MECHANISM: 'OAUTHBEARER' }, ['kafka.sasl.tokenEndpoint', 'OAUTHBEARER']],
    [
      { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_SASL_TOKEN_ENDPOINT: 'https://id:hidden@login.example/token' },
      ['kafka.sasl.tokenEndpoint', 'sasl.username and sasl.password'],
    ],
    [{ KAFKA_ACKS: 'leader' }, ['kafka.idempotent', 'acks is "leader"']],
    [{ KAFKA_BROKERS: 'broker-without-port' }, ['kafka.brokers', 'host:port']],
    [{ KAFKA_SECURITY_PROTOCOL: 'TLS' }, ['kafka.securityProtocol']],
  ] as [Record<string, string>, string[]][])('half a setting is an error that names both: %j', async (env, texts) => {
    const message = await problems(env);
    for (const text of texts) expect(message).toContain(text);
    expect(message).not.toContain('hidden');
  });

  it('takes the four protocols in any case', () => {
    for (const value of ['PLAINTEXT', 'ssl', 'Sasl_Plaintext', 'sasl_ssl']) {
      const sasl = value.toLowerCase().startsWith('sasl');
      const candidates = Object.entries({
        securityProtocol: value,
        ...(sasl && { 'sasl.mechanism': 'scram-sha-256', 'sasl.username': 'u', 'sasl.password': 'p' }),
      }).map(([path, given]) => ({ path, value: given, source: 'spec' }));
      const { config, problems: found } = assemble('kafka', KafkaConfig, candidates as never);
      expect(found).toEqual([]);
      expect(config.securityProtocol).toBe(value.toUpperCase());
    }
  });
});
