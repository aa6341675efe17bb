/** The statements that make a table of parked messages. */
export function parkedTable(table: string, index: string, ifNotExists: '' | 'IF NOT EXISTS' = ''): readonly string[] {
  return [
    // `lane` and `event` are SHA-256 of the key, and of topic and id: of one size, whatever a sender puts there. `key` is for who looks.
    `CREATE TABLE ${ifNotExists} ${table} (
       seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
       "group" text NOT NULL,
       topic text NOT NULL,
       partition integer NOT NULL,
       lane bytea NOT NULL,
       key text NOT NULL,
       event bytea NOT NULL,
       envelope json NOT NULL,
       body bytea NOT NULL,
       received_at timestamptz NOT NULL,
       attempts integer NOT NULL,
       first_attempt_at timestamptz,
       due_at timestamptz NOT NULL,
       reason text NOT NULL,
       parked_at timestamptz NOT NULL DEFAULT now(),
       UNIQUE ("group", event)
     ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`,
    `CREATE INDEX ${ifNotExists} ${index} ON ${table} ("group", topic, partition, lane, seq)`,
  ];
}
