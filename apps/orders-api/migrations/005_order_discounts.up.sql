ALTER TABLE orders ADD COLUMN discount_amount bigint NOT NULL DEFAULT 0 CHECK (discount_amount >= 0);

COMMENT ON COLUMN orders.total_amount IS 'what is to be paid: the sum of the lines less discount_amount';
