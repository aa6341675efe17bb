ALTER TABLE orders
  DROP CONSTRAINT orders_status_check,
  ADD CONSTRAINT orders_status_check CHECK (status IN ('placed', 'paid', 'rejected', 'cancelled')),
  ADD COLUMN paid_at timestamptz(3),
  ADD COLUMN rejection_reason varchar(40);
