/** Resolves `secret://name` references in the configuration. The secrets concern provides it. */
export abstract class SecretStore {
  /** @throws when the store has no such secret, or cannot be reached */
  abstract get(name: string): Promise<string>;
}
