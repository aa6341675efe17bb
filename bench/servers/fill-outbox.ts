export const OUTBOX_TOPIC = 'orders.placed';

export const OUTBOX_HEADERS = {
  ce_id: '0',
  ce_source: '/orders',
  ce_specversion: '1.0',
  ce_type: OUTBOX_TOPIC,
  'content-type': 'application/json',
};

/** Events of 500 bytes and 1,000 keys in the outbox, as an app would have written them. */
export const fillOutbox = (rows: number): string =>
  `INSERT INTO messaging_outbox (bucket, id, kind, topic, key, headers, body)
   SELECT at % 16, gen_random_uuid(), 'event', '${OUTBOX_TOPIC}', 'key-' || at % 1000,
          '${JSON.stringify(OUTBOX_HEADERS)}',
          convert_to(repeat('x', 500), 'UTF8')
   FROM generate_series(1, ${rows}) AS at`;
