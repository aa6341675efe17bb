import type { KafkaConfig } from './kafka.config.js';

type Security = Pick<KafkaConfig, 'securityProtocol' | 'tls' | 'sasl'>;

/** Whether the connections are encrypted. */
export function usesTls({ securityProtocol, tls }: Security): boolean {
  return tls.enabled ?? securityProtocol?.endsWith('SSL') ?? false;
}

/** Half a setting, or two that contradict each other; each names both. */
export function* securityProblems(config: Security): Iterable<{ path: string; expected: string }> {
  const { securityProtocol: protocol, tls, sasl } = config;
  const { mechanism, username, password } = sasl;
  if (tls.cert && !tls.key) yield { path: 'tls.key', expected: 'the private key of tls.cert' };
  if (tls.key && !tls.cert) yield { path: 'tls.cert', expected: 'the certificate of tls.key' };
  if (protocol && tls.enabled !== undefined && tls.enabled !== protocol.endsWith('SSL'))
    yield { path: 'securityProtocol', expected: `what fits tls.enabled, which is ${tls.enabled}` };
  else if (!usesTls(config) && (tls.ca || tls.cert))
    yield {
      path: 'tls.enabled',
      expected: `true (or a securityProtocol with SSL), as tls.${tls.ca ? 'ca' : 'cert'} is set`,
    };
  if (protocol?.startsWith('SASL') && !mechanism)
    yield { path: 'sasl.mechanism', expected: `a mechanism, as securityProtocol is ${protocol}` };
  const given = mechanism ? 'mechanism' : username !== undefined ? 'username' : 'password';
  if (protocol && !protocol.startsWith('SASL') && (mechanism || username !== undefined || password !== undefined))
    yield { path: 'securityProtocol', expected: `SASL_PLAINTEXT or SASL_SSL, as sasl.${given} is set` };
  if (!mechanism && !protocol && (username !== undefined || password !== undefined))
    yield { path: 'sasl.mechanism', expected: `a mechanism, as sasl.${given} is set` };
  if (mechanism === 'OAUTHBEARER') yield* tokenProblems(sasl);
  else if (mechanism) {
    if (!username) yield { path: 'sasl.username', expected: `a user, as sasl.mechanism is ${mechanism}` };
    if (!password) yield { path: 'sasl.password', expected: `the password of sasl.username, for ${mechanism}` };
  }
}

function* tokenProblems({ oauth, tokenEndpoint, username, password }: KafkaConfig['sasl']) {
  if (oauth.token) return;
  if (tokenEndpoint && /^\w+:\/\/[^/?#]*@/.test(tokenEndpoint))
    yield {
      path: 'sasl.tokenEndpoint',
      expected: 'no user in it: client id and secret are sasl.username and sasl.password',
    };
  if (!tokenEndpoint)
    yield {
      path: 'sasl.tokenEndpoint',
      expected: 'where to get a token for sasl.mechanism OAUTHBEARER, or sasl.oauth.token in code',
    };
  else if (!username || !password)
    yield {
      path: username ? 'sasl.password' : 'sasl.username',
      expected: 'client id and secret for sasl.tokenEndpoint, in sasl.username and sasl.password',
    };
}
