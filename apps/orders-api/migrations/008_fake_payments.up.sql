-- What the sample's own payment provider remembers; a real one keeps its books elsewhere.
CREATE TABLE fake_payments (
  id              uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
  idempotency_key varchar(100)   NOT NULL UNIQUE,
  amount          bigint         NOT NULL CHECK (amount >= 0),
  currency        char(3)        NOT NULL,
  charged_at      timestamptz(3) NOT NULL DEFAULT now(),
  refunded_at     timestamptz(3)
);
