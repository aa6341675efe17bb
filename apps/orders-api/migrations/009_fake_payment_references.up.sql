-- What a charge is for is one thing, and the key of the call that made it another: by the reference it shows when an order was charged twice.
ALTER TABLE fake_payments
  ADD COLUMN reference varchar(100),
  ADD COLUMN declined boolean NOT NULL DEFAULT false;

UPDATE fake_payments SET reference = idempotency_key, idempotency_key = 'charge-' || idempotency_key;

ALTER TABLE fake_payments ALTER COLUMN reference SET NOT NULL;
CREATE INDEX idx_fake_payments_reference ON fake_payments (reference);

CREATE TABLE fake_refunds (
  idempotency_key varchar(100)   PRIMARY KEY,
  reference       varchar(100)   NOT NULL UNIQUE,
  refunded_at     timestamptz(3) NOT NULL DEFAULT now()
);

COMMENT ON TABLE fake_refunds IS 'references for which nothing is charged any more';

INSERT INTO fake_refunds (idempotency_key, reference, refunded_at)
SELECT 'refund-' || reference, reference, refunded_at FROM fake_payments WHERE refunded_at IS NOT NULL;
