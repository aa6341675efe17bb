CREATE TABLE orders (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id      uuid           NOT NULL REFERENCES users (id),
  status       varchar(20)    NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'cancelled')),
  total_amount bigint         NOT NULL CHECK (total_amount >= 0),
  currency     char(3)        NOT NULL,
  created_at   timestamptz(3) NOT NULL DEFAULT now(),
  cancelled_at timestamptz(3)
);

CREATE INDEX idx_orders_created_at ON orders (created_at, id);
CREATE INDEX idx_orders_user ON orders (user_id, created_at, id);

CREATE TABLE order_lines (
  order_id    uuid         NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  position    smallint     NOT NULL,
  product_id  uuid         NOT NULL REFERENCES products (id),
  sku         varchar(40)  NOT NULL,
  name        varchar(200) NOT NULL,
  unit_amount integer      NOT NULL,
  quantity    integer      NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, position)
);

COMMENT ON TABLE order_lines IS 'sku, name and price as they were when the order was placed';
