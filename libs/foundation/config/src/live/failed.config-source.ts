import { ConfigSource } from '@core-infra/kernel';

/**
 * Stands in for configuration that could not be read. Whoever asks for a section gets the reason.
 *
 * It must stand in: modules inject `ConfigSource` optionally, and to Nest an optional dependency that fails is one that is absent,
 * so that they would go on with their defaults, and connect to a server that nobody named.
 */
export class FailedConfigSource extends ConfigSource {
  constructor(private readonly reason: unknown) {
    super();
  }

  override resolve(): never {
    throw this.reason;
  }

  override onChange(): () => void {
    return () => undefined;
  }
}
