-- Written by orders-worker alone.
CREATE TABLE reservations (
  order_id   uuid           PRIMARY KEY,
  state      varchar(20)    NOT NULL CHECK (state IN ('held', 'paid', 'rejected', 'cancelled')),
  lines      jsonb          NOT NULL,
  payment_id varchar(100),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

COMMENT ON TABLE reservations IS 'what orders hold of the stock; rejected and cancelled ones hold nothing any more';

-- Until now an order took its products when it was placed.
INSERT INTO reservations (order_id, state, lines)
SELECT id, 'held', (
  SELECT jsonb_agg(jsonb_build_object('product_id', product_id, 'quantity', quantity))
  FROM order_lines WHERE order_id = orders.id
)
FROM orders WHERE status = 'placed';
